"""What was changed, on its way to the audit trail."""
