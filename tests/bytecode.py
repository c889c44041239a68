"""Compiled Python, kept from run to run also where Python is told to write none."""

import os
import sys
from pathlib import Path


def keep_bytecode() -> None:
    """Keep it in the environment's own folder, for this process and those that it starts.

    Else each of some hundred programs under test compiles all that it imports: two seconds of a
    processor. Where Python writes it anyway, it does so beside the sources.
    """
    if sys.dont_write_bytecode and sys.pycache_prefix is None:
        sys.dont_write_bytecode = False
        sys.pycache_prefix = str(Path(sys.prefix) / "pycache")
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
        del os.environ["PYTHONDONTWRITEBYTECODE"]
