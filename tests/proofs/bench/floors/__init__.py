"""Floors: bare grpc.aio servers that do a row's work without identity, rules or store."""
