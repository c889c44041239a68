"""The composition root's slice for the world outside: every concrete class in its place."""
