"""What the dispatcher stands on: stores, and the other services."""
