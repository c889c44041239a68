"""What was changed, on its way to the audit trail: stored beside it, and told until it is known."""
