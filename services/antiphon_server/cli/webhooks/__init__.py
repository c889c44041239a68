"""``antiphon webhooks``."""
