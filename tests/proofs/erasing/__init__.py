"""The proof of erasing: what was erased is nowhere, also if the server was killed meanwhile."""
