"""What the commands about rules share: routes and filters are lists that are set as a whole."""
