"""structlog, without rich, which it imports for tracebacks that nobody asks it for.

That took half of the import's time, 0.2 s of a processor, and 7 MB of each server. Whoever logs
takes ``structlog`` from here; a test holds that.
"""

import sys

_hidden = "rich" not in sys.modules
if _hidden:
    sys.modules["rich"] = None  # type: ignore[assignment]  # an import of it fails for now
try:
    import structlog
finally:
    if _hidden:
        del sys.modules["rich"]

__all__ = ["structlog"]
