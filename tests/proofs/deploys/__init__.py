"""Many versions of a worker's deployment, deployed one after another."""
