"""Databases behind one port, their migrations, and the connection to Redis."""
