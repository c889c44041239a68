"""What was changed of the world outside, on its way to the audit trail."""
