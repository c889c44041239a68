"""``antiphon memory``."""
