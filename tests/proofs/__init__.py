"""Long proofs of the promises, each with a short form that runs as a test."""
