"""Vectors within a transaction: forgotten with what they are of, and never kept after that.

A row that says that something was forgotten meets each row that would be added on the table's key:
so whichever of two servers is the later one, nothing is left.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection

from antiphon_server.memory.adapters.tables import vector_places, vectors
from antiphon_server.runtime.storage.statements import PreparedInsert

_NOTHING = b""
_KEY = " ON CONFLICT (place, document_id) DO UPDATE SET"
_FORGET = PreparedInsert(
    vectors,
    f"{_KEY} model=excluded.model, digest=excluded.digest, packed=excluded.packed,"
    " forget_us=excluded.forget_us",
)
_TAKEN = "forgotten"  # as the model: of what has gone there was a vector
_TAKE = PreparedInsert(
    vectors,
    f"{_KEY} model='{_TAKEN}', digest=excluded.digest, packed=excluded.packed,"
    " forget_us=excluded.forget_us WHERE memory_vectors.forget_us IS NULL RETURNING model",
)
_KEEP = PreparedInsert(
    vectors,
    f"{_KEY} model=excluded.model, digest=excluded.digest, packed=excluded.packed"
    " WHERE memory_vectors.forget_us IS NULL"
    " AND (memory_vectors.digest <> excluded.digest OR memory_vectors.model <> excluded.model)",
)
_USE = PreparedInsert(
    vector_places,
    " ON CONFLICT (place) DO UPDATE SET use_us=excluded.use_us"
    f" WHERE memory_vector_places.use_us < excluded.use_us - {3 * 3600 * 1_000_000}",
)


def forget_vectors(connection: Connection, place: str, ids: Collection[str], now_us: int) -> None:
    """Take away what is kept of these, and what would be kept of them for some days from now."""
    if rows := _forgotten(place, ids, now_us):
        _FORGET.run(connection, rows)


def take_vectors(connection: Connection, place: str, ids: Collection[str], now_us: int) -> int:
    """The same, but of what was forgotten before; says of how many there was a vector."""
    rows = _forgotten(place, ids, now_us)
    return sum(model == _TAKEN for (model,) in _TAKE.returned(connection, rows)) if rows else 0


def keep_vectors(
    connection: Connection, place: str, model: str, made: Sequence[tuple[str, bytes, bytes]]
) -> None:
    """Keep ids with the digests of their texts and the vectors, but of what was forgotten."""
    _KEEP.run(connection, [_row(place, it, model, *of) for it, *of in sorted(made)])


def use_place(connection: Connection, place: str, now_us: int) -> None:
    """Remember when what is kept of the place was of use, to some hours."""
    _USE.run(connection, [{"place": place, "use_us": now_us}])


def _forgotten(place: str, ids: Collection[str], now_us: int) -> Sequence[dict[str, Any]]:
    nothing = {"forget_us": now_us}
    return [_row(place, it, "", _NOTHING, _NOTHING) | nothing for it in sorted(ids)]


def _row(place: str, document_id: str, model: str, digest: bytes, packed: bytes) -> dict[str, Any]:
    return {
        "place": place,
        "document_id": document_id,
        "model": model,
        "digest": digest,
        "packed": packed,
    }
