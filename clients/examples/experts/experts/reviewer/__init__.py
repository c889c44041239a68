"""A reviewer of code: what ruff and mypy say of lines that a diff adds, and a model of it all."""
