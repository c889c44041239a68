"""What finds things in texts: rules alone, each in time that grows with the text alone."""
