"""Measures the server, each figure beside its floor of the same run; see docs/benchmarks.md."""
