"""How people speak of themselves, language by language: tables alone."""
