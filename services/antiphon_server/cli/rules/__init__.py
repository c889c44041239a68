"""What the commands about rules share: lists (of routes, filters, detectors) set as a whole."""
