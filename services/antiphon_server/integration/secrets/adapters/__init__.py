"""Secrets in a SQL database, sealed."""
