"""``antiphon flags detectors``."""
