"""Who may call what, held against the contracts on a real server."""
