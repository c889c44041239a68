"""Every ended turn's notification arrives, at those whose turn it is, whatever befalls servers."""
