"""Seeded traffic of 50 users, five of whom misbehave: who is flagged, and how soon."""
