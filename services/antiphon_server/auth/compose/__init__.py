"""The composition root's slice for identity: every concrete class in its place."""
