"""What every service stands on: server, channels, errors, stores, lifecycle."""
