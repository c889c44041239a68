"""Connections: what is outside and can be called, by the kind of its protocol."""
