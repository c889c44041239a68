"""Tests of servers of WebSockets as connections."""
