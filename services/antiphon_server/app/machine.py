"""Figures of what ends or fills up though nobody calls: disk, WAL, certificate, backups."""

import asyncio
import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from antiphon_server.app.own_database import database_files
from antiphon_server.runtime.storage.last_backup import last_backup
from antiphon_server.runtime.telemetry.metrics import Gauges

LOOK_S = 15.0
_Gauge = tuple[str, Callable[[], float]]


class _Looked(NamedTuple):
    free: float
    size: float
    wal: float
    backup: float


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
        self._looked: _Looked | None = None

    async def look(self) -> None:
        """Look once, off the loop: a disk may be slow. One that refuses leaves what was known."""
        with suppress(OSError):
            self._looked = await asyncio.to_thread(_look, self._data_dir)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        yield from Gauges(dict(self._gauges())).collect()

    def _gauges(self) -> Iterator[tuple[str, _Gauge]]:
        ends, looked = self._ends, self._looked
        if ends is not None and ends() < math.inf:
            what = "When the port's certificate is over, in seconds since 1970."
            yield "antiphon_certificate_end_timestamp_seconds", (what, ends)
        if looked is None:
            return
        free, size, wal, backup = looked
        what = "Room on the disk of the data folder."
        yield "antiphon_disk_free_bytes", (what, lambda: free)
        yield "antiphon_disk_size_bytes", ("Size of that disk.", lambda: size)
        if self._own:
            what = "Size of the write-ahead log, before it goes into the database."
            yield "antiphon_wal_bytes", (what, lambda: wal)
        if self._own or backup:
            what = "When the newest backup that was read back was made; 0 for none."
            yield "antiphon_backup_last_success_timestamp_seconds", (what, lambda: backup)


def _look(data_dir: Path) -> _Looked:
    disk = shutil.disk_usage(data_dir)
    _, log, _ = database_files(data_dir)
    wal = log.stat().st_size if log.exists() else 0
    return _Looked(disk.free, disk.total, wal, last_backup(data_dir))
