"""Where all logs end: by that a copy shows that it has everything."""

import hashlib
from collections.abc import Iterable

import msgspec

from antiphon_server.backups.failure import BackupFailed

SCOPES = "SELECT scope, last_offset FROM events_scopes"
SUMMED = "SELECT count(*), coalesce(sum(last_offset), 0) FROM events_scopes"
BROKEN = """SELECT scope FROM events_scopes AS s WHERE last_offset <>
    (SELECT max(last_offset) FROM events_log WHERE scope_id = s.id) LIMIT 1"""
"""A log whose newest event is not where it is said to end."""


class Heads(msgspec.Struct, frozen=True):
    """How many logs there are, the sum of their last offsets, and a digest of each one's."""

    logs: int
    offsets: int
    digest: str


def heads_of(rows: Iterable[tuple[str, int]]) -> Heads:
    """Of scopes and their last offsets, in any order."""
    logs = offsets = digests = 0
    for scope, last in rows:
        logs += 1
        offsets += last
        digests += int.from_bytes(hashlib.sha256(f"{scope} {last}".encode()).digest())
    return Heads(logs, offsets, f"{digests % (1 << 256):064x}")


def insist_on(before: tuple[int, int], copied: Heads) -> None:
    """Logs only grow: a copy has at least what was there before. Raises BackupFailed."""
    if copied.logs < before[0] or copied.offsets < before[1]:
        raise BackupFailed(
            f"the copy has {copied.logs} logs with {copied.offsets} offsets, and before it there "
            f"were {before[0]} with {before[1]}: it lacks something"
        )
