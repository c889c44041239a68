"""Turns that start by the clock: a room of the dispatcher's service."""
