"""What is on the wire, and what it is in here."""
