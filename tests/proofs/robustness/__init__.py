"""Traffic, faults, a recorded history, and one validator per promise."""
