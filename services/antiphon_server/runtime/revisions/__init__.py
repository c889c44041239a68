"""Rules of a workspace or the installation that are replaced as a whole, and what they were."""
