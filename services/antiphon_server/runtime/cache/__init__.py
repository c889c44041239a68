"""What can be looked up again, remembered for a while."""
