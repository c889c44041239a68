"""Modules that several ask for at once, which lead to each other."""

import asyncio
import sys
from pathlib import Path

import pytest

from antiphon_server.runtime.concurrency.imports import imported

MODULES = {
    "crosswise/__init__.py": "",
    "crosswise/first.py": "import time\ntime.sleep(0.4)\nimport crosswise.inner.leaf\n",
    "crosswise/inner/__init__.py": "import time\ntime.sleep(0.2)\nimport crosswise.first\n",
    "crosswise/inner/leaf.py": "",
}
NAMES = ("crosswise.first", "crosswise.inner.leaf")


async def test_modules_that_wait_for_each_other_are_both_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Imported at once by two threads, Python ends one of them for a deadlock."""
    for name, text in MODULES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = await asyncio.gather(*map(imported, NAMES))
    assert found == [sys.modules[name] for name in NAMES]
