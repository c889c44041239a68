"""What the context service stands on: stores, and the log."""
