"""Where it is kept until then, and who keeps the trail."""
