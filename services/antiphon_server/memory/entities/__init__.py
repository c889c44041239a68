"""Entities: what is called how, where it is mentioned, and what a query means by a name."""
