"""Trees of turns, whose workers and servers are killed or that are stopped at the root."""
