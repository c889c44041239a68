"""Tests of what is found in what people say of themselves."""
