"""What such services answer, as results."""
