"""What stands behind the integration service's ports."""
