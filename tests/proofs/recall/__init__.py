"""Recall: of what answers a question, how much is among the first ten that search finds."""
