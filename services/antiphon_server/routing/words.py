"""What of a text is compared."""
