"""Figures of what ends or fills up though nobody calls: disk, WAL, certificate, backups."""

import asyncio
import math
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from antiphon_server.app.own_database import database_files
from antiphon_server.runtime.storage.last_backup import last_backup
from antiphon_server.runtime.telemetry.metrics import Gauges

LOOK_S = 15.0


class _Looked(NamedTuple):
    """What was found; None for what the disk does not say."""

    free: float | None = None
    size: float | None = None
    wal: float | None = None
    backup: float | None = None


class MachineFigures:
    """A collector for a prometheus_client registry; ``run`` looks at the files now and then.

    ``ends`` says when the port's certificate is over. A server with a database of its own always
    says when the last backup was, with 0 for never; on a shared one only who has made one does.
    """

    def __init__(
        self, data_dir: Path, *, own_database: bool, ends: Callable[[], float] | None
    ) -> None:
        self._data_dir = data_dir
        self._own = own_database
        self._ends = ends
        self._looked = _Looked()

    async def look(self) -> None:
        """Look once, off the loop: a disk may be slow. What it refuses to say is not shown."""
        self._looked = await asyncio.to_thread(_look, self._data_dir)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        for name, what, found in self._found():
            if found is not None:
                yield from Gauges({name: (what, partial(float, found))}).collect()

    def _found(self) -> Iterator[tuple[str, str, float | None]]:
        ends = self._ends() if self._ends is not None else math.inf
        if ends < math.inf:
            what = "When the port's certificate is over, in seconds since 1970."
            yield "antiphon_certificate_end_timestamp_seconds", what, ends
        free, size, wal, backup = self._looked
        yield "antiphon_disk_free_bytes", "Room on the disk of the data folder.", free
        yield "antiphon_disk_size_bytes", "Size of that disk.", size
        if self._own:
            what = "Size of the write-ahead log, before it goes into the database."
            yield "antiphon_wal_bytes", what, wal
        if self._own or backup:
            what = "When the newest backup that was read back was made; 0 for none."
            yield "antiphon_backup_last_success_timestamp_seconds", what, backup


def _look(data_dir: Path) -> _Looked:
    try:
        disk = shutil.disk_usage(data_dir)
    except OSError:
        return _Looked()
    wal, backup = (_known(each, data_dir) for each in (_wal_bytes, last_backup))
    return _Looked(disk.free, disk.total, wal, backup)


def _known(read: Callable[[Path], float], data_dir: Path) -> float | None:
    try:
        return read(data_dir)
    except FileNotFoundError:
        return 0.0
    except OSError:
        return None


def _wal_bytes(data_dir: Path) -> float:
    _, log, _ = database_files(data_dir)
    return log.stat().st_size
