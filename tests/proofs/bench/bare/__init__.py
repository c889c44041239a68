"""Calls of tools with nothing of ours between: each module's ``opened`` gives one to repeat."""
