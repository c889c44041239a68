"""``antiphon handoffs``: turns that wait for people."""
