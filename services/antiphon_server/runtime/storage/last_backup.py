"""When the newest backup was made that was read back: a command notes it, servers show it."""

from contextlib import suppress
from pathlib import Path

_FILE = "last-backup"


def note_backup(data_dir: Path, made_at: float) -> None:
    """Note the time, in seconds since 1970, unless a newer one is known."""
    with suppress(OSError):  # what can't be read is replaced
        if made_at <= last_backup(data_dir):
            return
    fresh = data_dir / f"{_FILE}.part"
    fresh.write_text(f"{made_at:.0f}\n")
    fresh.replace(data_dir / _FILE)


def last_backup(data_dir: Path) -> float:
    """That time; 0 if none is known. Raises OSError if the disk does not say."""
    try:
        return float((data_dir / _FILE).read_text())
    except (FileNotFoundError, ValueError):
        return 0.0
