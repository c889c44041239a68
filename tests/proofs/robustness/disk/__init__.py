"""The disk: the order of syncs as the kernel sees it, failing syncs and writes, a full disk."""
