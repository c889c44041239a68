"""What stands behind the agents' ports."""
