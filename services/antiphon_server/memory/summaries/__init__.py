"""What long conversations come to, made in the background, for prompts that lack the room."""
