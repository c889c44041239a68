"""Tasks with owners, work that must be completed, writes made together."""
