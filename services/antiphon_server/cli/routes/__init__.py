"""``antiphon routes``."""
