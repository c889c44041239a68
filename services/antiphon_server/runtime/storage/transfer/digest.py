"""What tells two sets of rows apart, in whatever order they are read."""

from hashlib import blake2b
from typing import Any

import msgspec

Row = tuple[Any, ...]
_BYTES = 16
_WRAP = 1 << (8 * _BYTES)
_encode = msgspec.msgpack.Encoder().encode


class Digest:
    """Of rows: how many, and the sum of their hashes.

    A sum has no order, which databases have different ones of. A row that is twice there, changed
    or missing changes it.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, row: Row) -> None:
        """One more row: its values in the order of the table's columns."""
        self.rows += 1
        found = blake2b(_encode(row), digest_size=_BYTES).digest()
        self._sum = (self._sum + int.from_bytes(found)) % _WRAP

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Digest) and (self.rows, self._sum) == (other.rows, other._sum)

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return f"{self.rows} rows, {self._sum:032x}"
