"""Postgres and Redis for one machine, from wheels: to try out what several servers share."""
