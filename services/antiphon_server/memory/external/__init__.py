"""A memory of others beside the server's own: told all that is remembered, and asked with it."""
