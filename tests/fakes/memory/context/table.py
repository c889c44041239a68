"""Tables in memory whose changes can be undone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Journal:
    """Remembers how to undo what a transaction changed."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], object]] = []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or none of what the block changes."""
        try:
            yield
        except BaseException:
            for undo in reversed(self._undo):
                undo()
            raise
        finally:
            self._undo.clear()

    def note(self, undo: Callable[[], object]) -> None:
        """How to undo the change that comes next."""
        self._undo.append(undo)


class Table(Generic[K, V]):
    """Rows by their key."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._rows: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """The row, None if there is none."""
        return self._rows.get(key)

    def put(self, key: K, row: V) -> None:
        """Store or replace a row."""
        self._note(key)
        self._rows[key] = row

    def remove(self, key: K) -> None:
        """Delete a row, if there is one."""
        if key in self._rows:
            self._note(key)
            del self._rows[key]

    def values(self) -> list[V]:
        """All rows, the oldest key first."""
        return list(self._rows.values())

    def _note(self, key: K) -> None:
        if key in self._rows:
            self._journal.note(lambda row=self._rows[key]: self._rows.__setitem__(key, row))  # type: ignore[misc]
        else:
            self._journal.note(lambda: self._rows.pop(key))
