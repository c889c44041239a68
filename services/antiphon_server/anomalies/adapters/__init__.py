"""Where detectors and flags are kept, and where signals are fetched."""
