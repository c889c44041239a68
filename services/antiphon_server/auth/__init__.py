"""Who is calling: accounts, sessions, tokens and API keys."""
