"""The proof of summaries: whenever a server is killed, all is summarised, and once."""
