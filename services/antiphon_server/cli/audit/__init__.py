"""``antiphon audit``: what happened, and the proof of it."""
