"""What is remembered: facts, preferences, events and notes, with their sources."""
