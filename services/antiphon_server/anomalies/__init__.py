"""Who behaves out of the ordinary: detectors, flags, and what flags do."""
