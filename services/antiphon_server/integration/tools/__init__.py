"""Tools: what models and clients can call, in one shape, whatever it comes from."""
