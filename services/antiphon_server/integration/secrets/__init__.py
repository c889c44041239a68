"""Secrets of workspaces: what connections sign their calls with."""
