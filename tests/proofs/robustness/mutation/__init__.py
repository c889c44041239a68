"""Defects planted on purpose, one in each mechanism: each must be caught."""
