"""What memory needs from outside: other services, and the database."""
