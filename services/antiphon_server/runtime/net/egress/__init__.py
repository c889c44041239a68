"""What may leave: where calls go that users and workspaces name, not the operator."""
