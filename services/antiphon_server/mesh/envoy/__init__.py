"""Envoy as a process that we own."""
