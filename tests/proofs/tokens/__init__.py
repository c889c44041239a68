"""How near tokens are counted, and that no prompt is longer than its model's window."""
