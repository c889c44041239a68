"""structlog without rich, which it imports to draw traces wherever it is installed.

A server draws none: 52 modules, 10 MB and a tenth of a second of its start for nothing.
"""

import importlib
import sys


def import_plain() -> None:
    """Import structlog as if there were no rich, unless one of them is here already."""
    if "structlog" in sys.modules or "rich" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment] # so an import of it is refused
    try:
        importlib.import_module("structlog")
    finally:
        del sys.modules["rich"]
