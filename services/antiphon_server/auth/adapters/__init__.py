"""What the rules of identity stand on: stores, hashing, key files, the event log."""
