"""Reaches the world outside: models, and the ledger of what they cost."""
