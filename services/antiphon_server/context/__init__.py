"""The context service: workspaces, conversations, members, messages and their window."""
