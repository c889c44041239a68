"""What a server may log as an error while its disk refuses: that it does, and nothing else."""

import json
import re
from collections.abc import Iterable

from antiphon_server.runtime.storage import sqlite, sqlite_writer

SHOWN = 1500
LOGGERS = frozenset(it.log.name for it in (sqlite, sqlite_writer))
# SQLite also calls an image malformed of which it can't read a page; whether it is one is
# examined when the disk is willing again.
_OF_THE_DISK = re.compile(
    r"(a commit failed|the database could not be read): "
    r"(disk I/O error|database or disk is full|database disk image is malformed)"
)


def unexcused(lines: Iterable[str]) -> list[str]:
    """Of errors and traces, those that are not a commit or a read which the disk refused."""
    return [f"log: {line[-SHOWN:]}" for line in lines if not _of_the_disk(line)]


def _of_the_disk(line: str) -> bool:
    try:
        entry = json.loads(line)
    except ValueError:
        return False
    message = str(entry.get("message"))
    return entry.get("logger") in LOGGERS and _OF_THE_DISK.fullmatch(message) is not None
