"""gRPC servers as connections: their descriptors, their methods as tools, and calls of those."""
