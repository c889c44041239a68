"""What workers' rules need, in SQL and over the wire."""
