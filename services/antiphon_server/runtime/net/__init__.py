"""Addresses, TLS and connections."""
