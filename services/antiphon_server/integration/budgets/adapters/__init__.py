"""Budgets in SQL, and what is told of them."""
