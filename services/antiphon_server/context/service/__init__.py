"""The rules of the context service."""
