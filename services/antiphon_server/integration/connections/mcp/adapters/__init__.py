"""What the official SDK does for connections, and what it leaves open."""
