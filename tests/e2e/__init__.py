"""Whole servers in processes of their own, spoken to from outside."""
