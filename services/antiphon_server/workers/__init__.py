"""Workers: handlers that dial in."""
