"""Tests of memory's rules."""
