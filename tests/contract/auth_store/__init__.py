"""Every store of identity keeps the same promises."""
