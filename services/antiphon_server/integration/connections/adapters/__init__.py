"""Connections in a SQL database, the kinds that there are, and who is told of them."""
