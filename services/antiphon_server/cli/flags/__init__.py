"""``antiphon flags``."""
