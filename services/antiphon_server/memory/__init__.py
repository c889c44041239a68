"""What was said and what is known, and how it is found again."""
