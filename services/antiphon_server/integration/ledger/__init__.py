"""The ledger: every call that costs something, written down before it is made."""
