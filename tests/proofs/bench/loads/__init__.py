"""Loads: clients on raw stubs, each run in a process of its own, against floor or server."""
