"""Notifications: the rules, without servers."""
