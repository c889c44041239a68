"""Routing: which handler a turn goes to where nobody has named one."""
