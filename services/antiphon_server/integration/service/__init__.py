"""The rules: which model is asked, how often, and what is written down about it."""
