"""The folder, read into an index of words, and read again where files have changed."""

import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from experts.researcher.sections import Passage, passages

MAX_FILES = 10_000
MAX_FILE_BYTES = 1_000_000
FOUND = 5
"""How many passages are found at most."""
PLAUSIBLE = 0.35
"""A passage's score in parts of the best one's, below which it is left out."""
# A word in a heading says more about a passage than one in it.
_RANK = "bm25(words, 4.0, 1.0)"
_MARKDOWN = {".md", ".markdown"}
_SKIPPED = {"node_modules", "__pycache__"}
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "a about all an and any are as at be by can do does for from has have how i in is it its "
        "me my of on or our so tell that the their them there these this to us was we what when "
        "where which who why will with you your",
    )
)
_State = tuple[int, int]  # when a file was written, in ns, and its size


class Library:
    """A folder of Markdown. For one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._states: dict[str, _State] = {}
        self._passages: dict[int, Passage] = {}
        self._index = sqlite3.connect(":memory:", check_same_thread=False)
        self._index.execute(
            "CREATE VIRTUAL TABLE words USING fts5(headings, body, tokenize='porter unicode61')"
        )

    @property
    def files(self) -> int:
        """How many files it has read."""
        return len(self._states)

    def search(self, question: str) -> list[Passage]:
        """What is about the question, the best first. Reads what has changed before."""
        self.refresh()
        query = words(question)
        if not query:
            return []
        rows = self._index.execute(
            f"SELECT rowid, {_RANK} AS rank FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?",
            (" OR ".join(f'"{word}"' for word in query), FOUND),
        ).fetchall()
        return [self._passages[row] for row, rank in rows if rank <= rows[0][1] * PLAUSIBLE]

    def refresh(self) -> None:
        """Read what is new or has changed, forget what is gone."""
        there = dict(islice(self._look(), MAX_FILES))
        for path in [path for path, state in self._states.items() if there.get(path) != state]:
            self._forget(path)
        for path in sorted(there.keys() - self._states.keys()):
            self._read(path, there[path])

    def _look(self) -> Iterator[tuple[str, _State]]:
        """Files by path. Links are not followed: they may lead out of the folder."""
        for where, folders, files in os.walk(self._folder):
            folders[:] = [it for it in folders if it[0] != "." and it not in _SKIPPED]
            for name in files:
                file = Path(where, name)
                state = _state(file) if file.suffix.lower() in _MARKDOWN else None
                if state is not None:
                    yield file.relative_to(self._folder).as_posix(), state

    def _read(self, path: str, state: _State) -> None:
        for passage in passages(path, _text(self._folder / path)):
            row = self._index.execute(
                "INSERT INTO words (headings, body) VALUES (?, ?)",
                (" ".join((path, *passage.trail)), passage.text),
            ).lastrowid
            assert row is not None
            self._passages[row] = passage
        self._states[path] = state

    def _forget(self, path: str) -> None:
        rows = [row for row, passage in self._passages.items() if passage.path == path]
        for row in rows:
            self._index.execute("DELETE FROM words WHERE rowid = ?", (row,))
            del self._passages[row]
        del self._states[path]


def _state(file: Path) -> _State | None:
    """None for what is no file of its own, too large, or gone by now."""
    try:
        about = file.lstat()
    except OSError:
        return None
    fits = stat.S_ISREG(about.st_mode) and about.st_size <= MAX_FILE_BYTES
    return (about.st_mtime_ns, about.st_size) if fits else None


def _text(file: Path) -> str:
    """Empty for a file that may not be read, or is gone by now."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def words(question: str) -> list[str]:
    """What to search for: each word once, without those that stand everywhere."""
    found = dict.fromkeys(re.findall(r"\w+", question.lower()))
    return [word for word in found if word not in _COMMON][:32] or list(found)[:32]
