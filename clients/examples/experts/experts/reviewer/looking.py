"""The place in which tools look at a diff; it is gone afterwards, however that ends."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from experts.reviewer.checkout import Copies, copies
from experts.reviewer.diff import Change
from experts.reviewer.judging import Judged, judged
from experts.reviewer.mypy_settings import mypy_settings
from experts.reviewer.tools import mypy, ruff

TOOLS = {"ruff": ruff, "mypy": mypy}


class Place:
    """Copies of a checkout, before and after a diff, and a home for tools."""

    def __init__(self, both: Copies, home: Path) -> None:
        self._both, self._home = both, home
        self.files = sorted(both.files)
        """What can be looked at after the diff."""

    async def look(self, tool: str) -> Judged:
        """What a tool says of the files, compared with what it says of them before the diff.

        Raises ToolFailed.
        """
        look, both, old = TOOLS[tool], self._both, sorted(self._both.old_names)
        before = await look(both.before, old, self._home) if old else []
        return judged(before, await look(both.after, self.files, self._home), both)


@asynccontextmanager
async def looking(checkout: Path, changes: Sequence[Change]) -> AsyncIterator[Place]:
    """Make the place. Raises Refused."""
    folder = Path(tempfile.mkdtemp(prefix="review-"))
    making = asyncio.create_task(asyncio.to_thread(_made, checkout, changes, folder))
    try:
        # A thread can't be stopped: it is waited for, since it would write what is removed.
        yield await asyncio.shield(making)
    finally:
        await asyncio.wait([making])
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _made(checkout: Path, changes: Sequence[Change], folder: Path) -> Place:
    folder = folder.resolve()
    home = folder / "home"
    home.mkdir()
    (home / "mypy.toml").write_text(mypy_settings(checkout))
    return Place(copies(checkout, changes, folder), home)
