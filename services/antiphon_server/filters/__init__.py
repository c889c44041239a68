"""What stands in front of all who work on what is said: filters, and what they say."""
