"""What a service is described by, what it is given, and what a process asks of it."""
