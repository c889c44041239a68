"""Breakers that operators open and close by hand, on all servers."""
