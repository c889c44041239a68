"""The life of a process: parts in order, children, the operator's port."""
