"""``antiphon doctor``: what is wrong, from this machine to the models, and what to do."""
