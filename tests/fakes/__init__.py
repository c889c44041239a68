"""Servers that stand in for the world outside."""
