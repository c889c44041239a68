"""Tests of the integration service."""
