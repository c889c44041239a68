"""What the audit trail is told of integration."""
