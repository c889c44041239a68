"""What a model is shown, and why."""
