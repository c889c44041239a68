"""The words that rules are made of, language by language: dates, parts of patterns, verbs."""
