"""Where it is kept until then."""
