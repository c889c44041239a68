"""What may leave, and what may not."""
