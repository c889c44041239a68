"""``antiphon chat``."""
