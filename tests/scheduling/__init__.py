"""Turns that start by the clock."""
