"""Budgets: how much calls may take, of money, tokens or calls, in a window of time."""
