"""The index: what is found, in which order, and what is gone when it is removed."""
