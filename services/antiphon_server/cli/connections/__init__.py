"""``antiphon connections``: what is outside of the server and can be called."""
