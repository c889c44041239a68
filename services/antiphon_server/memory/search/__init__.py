"""Search and recall: what one may read, ranked."""
