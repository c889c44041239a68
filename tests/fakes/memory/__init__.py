"""Ports of the services in memory, held to the same suites as what ships (tests/contract)."""
