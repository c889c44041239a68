"""Where filters are kept, and who is told of what they say."""
