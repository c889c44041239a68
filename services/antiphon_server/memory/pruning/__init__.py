"""Memories that nobody needs: shown, put away, brought back."""
