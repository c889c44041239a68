"""A copy of an SQLite database that is in use, by SQLite's own means.

https://www.sqlite.org/backup.html: all pages in one step are those of one moment. The server
writes on meanwhile; only its WAL is not begun again until the copy is made.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from antiphon_server.backups.failure import BackupFailed
from antiphon_server.backups.heads import BROKEN, SCOPES, SUMMED, Heads, heads_of, insist_on
from antiphon_server.backups.history import new_history

_REVISIONS = "SELECT name FROM sqlite_master WHERE name LIKE 'alembic_version_%'"


def copy_database(source: Path, target: Path) -> tuple[Heads, dict[str, str]]:
    """Make it, read it back, and return where its logs end, and its tables' revisions.

    Raises BackupFailed.
    """
    with _refusals(source), closing(_opened(source, "ro")) as live:
        logs, offsets = live.execute(SUMMED).fetchone()
        with closing(_opened(target, "rwc")) as copy:
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE").fetchone()  # one file holds all of it
            copy.execute("PRAGMA synchronous=FULL")
            copy.execute("VACUUM")  # pages have copies of rows that were moved, also of erased ones
    heads = examine(target)
    insist_on((logs, offsets), heads)
    return heads, revisions_of(target)


def examine(path: Path) -> Heads:
    """Read all of a database that nobody uses. Raises BackupFailed for damage."""
    with _refusals(path), closing(_opened(path, "ro")) as copy:
        (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise BackupFailed(f"{path} is damaged: {verdict}")
        if stray := copy.execute("PRAGMA foreign_key_check").fetchone():
            raise BackupFailed(f"{path} is damaged: a row of {stray[0]} belongs to none")
        if broken := copy.execute(BROKEN).fetchone():
            raise BackupFailed(f"{path} is damaged: the log of {broken[0]} lacks its end")
        return heads_of(copy.execute(SCOPES))


def begin_new_history(path: Path) -> None:
    """See ``history``; on disk when this returns."""
    with _refusals(path), closing(_opened(path, "rw")) as database:
        database.execute("PRAGMA synchronous=FULL")
        database.execute("BEGIN")
        for statement, values in new_history():
            database.execute(statement, values)
        database.execute("COMMIT")


def revisions_of(path: Path) -> dict[str, str]:
    """Its tables' revisions, by service. Raises BackupFailed."""
    with _refusals(path), closing(_opened(path, "ro")) as copy:
        tables = [name for (name,) in copy.execute(_REVISIONS)]
        found = {table: copy.execute(f'SELECT version_num FROM "{table}"') for table in tables}
        return {
            table.removeprefix("alembic_version_"): revision
            for table, rows in found.items()
            for (revision,) in rows
        }


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30)


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise BackupFailed(f"{path}: {error}") from error
