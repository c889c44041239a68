"""A calculator by a grammar: exact, bounded, and precise about what it did not understand."""
