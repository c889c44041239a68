"""Writes docs/access.md: ``python -m tests.access``."""

from tests.access.table import DOCUMENT, rendered

DOCUMENT.write_text(rendered())
