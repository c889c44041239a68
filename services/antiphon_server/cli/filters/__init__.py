"""``antiphon filters``."""
