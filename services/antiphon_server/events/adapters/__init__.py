"""What the log stands on: stores, and the other services."""
