"""``antiphon schedules``."""
