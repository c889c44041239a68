"""``antiphon workers``."""
