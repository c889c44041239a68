"""State machines: random sequences of calls, each answer held against a plain model."""
