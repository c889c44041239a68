"""What ends or fills up is shown, though nobody calls."""

import asyncio
import math
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from antiphon_server.app import machine
from antiphon_server.app.machine import MachineFigures
from antiphon_server.runtime.storage.last_backup import note_backup
from tests.e2e.until import until

BACKUP = "antiphon_backup_last_success_timestamp_seconds"
FREE = "antiphon_disk_free_bytes"
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


async def test_what_a_disk_refuses_to_say_is_unknown(tmp_path: Path) -> None:
    """It is not shown, neither as nothing nor as it was long ago; the rest is."""
    figures = MachineFigures(tmp_path, own_database=True, ends=lambda: 123.0)
    await figures.look()
    assert value(figures, WAL) == value(figures, BACKUP) == 0
    (tmp_path / "antiphon.db-wal").symlink_to(tmp_path / "antiphon.db-wal")
    (tmp_path / "last-backup").mkdir()
    await figures.look()
    assert value(figures, WAL) is value(figures, BACKUP) is None
    assert value(figures, FREE)
    assert value(figures, "antiphon_certificate_end_timestamp_seconds") == 123


async def test_a_folder_that_is_gone_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its figures are unknown until it is back; looking goes on."""
    monkeypatch.setattr(machine, "LOOK_S", 0.01)
    folder = tmp_path / "data"
    folder.mkdir()
    figures = MachineFigures(folder, own_database=True, ends=None)
    await figures.look()
    looking = asyncio.create_task(figures.run())
    try:
        folder.rmdir()
        await until(lambda: value(figures, FREE) is value(figures, WAL) is None)
        assert value(figures, BACKUP) is None
        folder.mkdir()
        await until(lambda: value(figures, FREE) is not None)
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
