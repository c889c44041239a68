"""Agents: they answer turns by models, and meet the dispatcher as its handlers."""
