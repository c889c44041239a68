"""Models: what can be asked, how, and what it costs."""
