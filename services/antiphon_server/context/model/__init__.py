"""The context service's own types."""
