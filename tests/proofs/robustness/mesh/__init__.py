"""Several servers behind an edge: the same people, the same promises."""
