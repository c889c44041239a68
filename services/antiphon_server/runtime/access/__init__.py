"""Who calls, what they may, and the function that decides."""
