"""What tools stand on."""
