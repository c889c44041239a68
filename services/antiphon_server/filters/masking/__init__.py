"""Masking: what is streamed is shown without what finders find in it."""
