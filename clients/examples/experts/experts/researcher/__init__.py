"""A researcher: searches a folder of Markdown, quotes what it finds, and cites where it stands."""
