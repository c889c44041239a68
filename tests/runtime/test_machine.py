"""What ends or fills up is shown, though nobody calls."""

import asyncio
import math
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from antiphon_server.app.machine import MachineFigures
from antiphon_server.runtime.storage.last_backup import note_backup

BACKUP = "antiphon_backup_last_success_timestamp_seconds"
WAL = "antiphon_wal_bytes"


def value(figures: MachineFigures, name: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(figures)
    return registry.get_sample_value(name)


async def test_files_are_looked_at_again(tmp_path: Path) -> None:
    """The log's size and the last backup as they are, 0 while there was none."""
    figures = MachineFigures(tmp_path, own_database=True, ends=lambda: 123.0)
    await figures.look()
    assert value(figures, BACKUP) == value(figures, WAL) == 0
    await asyncio.to_thread(note_backup, tmp_path, 1_000.0)
    await asyncio.to_thread(note_backup, tmp_path, 900.0)  # an older one that is checked later
    await asyncio.to_thread((tmp_path / "antiphon.db-wal").write_bytes, b"12345")
    await figures.look()
    assert value(figures, BACKUP) == 1_000
    assert value(figures, WAL) == 5
    free, size = (value(figures, f"antiphon_disk_{name}_bytes") for name in ("free", "size"))
    assert free is not None
    assert size is not None
    assert 0 < free < size
    assert value(figures, "antiphon_certificate_end_timestamp_seconds") == 123


@pytest.mark.parametrize("ends", [None, lambda: math.inf])
async def test_what_there_is_none_of_is_not_shown(tmp_path: Path, ends: object) -> None:
    """No certificate, no database of its own, no backup that was made here."""
    figures = MachineFigures(tmp_path, own_database=False, ends=ends)  # type: ignore[arg-type]
    await figures.look()
    for name in (WAL, BACKUP, "antiphon_certificate_end_timestamp_seconds"):
        assert value(figures, name) is None
    await asyncio.to_thread(note_backup, tmp_path, 1_000.0)
    await figures.look()
    assert value(figures, BACKUP) == 1_000


async def test_a_disk_that_refuses_leaves_what_was_known(tmp_path: Path) -> None:
    """The server's figures are not its life."""
    folder = tmp_path / "data"
    folder.mkdir()
    figures = MachineFigures(folder, own_database=True, ends=None)
    await figures.look()
    folder.rmdir()
    await figures.look()
    assert value(figures, WAL) == 0
