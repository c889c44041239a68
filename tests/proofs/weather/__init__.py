"""Endpoints of models that are away, hang, drip or talk nonsense, on real servers."""
