"""The examples of clients in other languages, built and run."""
