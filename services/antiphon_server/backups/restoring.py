"""Putting a backup back, where no server runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple

from antiphon_server.app.own_database import check_elsewhere, check_no_postgres, database_files
from antiphon_server.app.schemas import DATABASE_FILE, MOVED_FILE
from antiphon_server.backups.archive import read_archive
from antiphon_server.backups.failure import BackupFailed
from antiphon_server.backups.heads import Heads
from antiphon_server.backups.making import note_if_known
from antiphon_server.backups.manifest import Manifest
from antiphon_server.backups.ownership import become_owner_of
from antiphon_server.backups.secret_mark import secret_mark
from antiphon_server.backups.shelf import Shelf, passing_shelf_in, privately, sync
from antiphon_server.runtime.storage.data_dir_lock import exclusive
from antiphon_server.settings import Settings

_INCOMING = "incoming-backup"


class Restored(NamedTuple):
    """What was put back; where what was there before is now, and whether the secret is another."""

    manifest: Manifest
    aside: Path | None
    other_secret: bool


def check_backup(settings: Settings, source: IO[bytes]) -> Manifest:
    """Read all of a backup, as a restore would, and change nothing but what is known of backups.

    Raises BackupFailed, OSError, and what ``secret_mark`` raises.
    """
    manifest = read_archive(source)
    if settings.data_dir.exists() and manifest.secret_mark == secret_mark(settings) != "":
        become_owner_of(settings.data_dir)
        note_if_known(settings, manifest)
    return manifest


def restore(settings: Settings, source: IO[bytes], *, replace: bool = False) -> Restored:
    """Put a backup back, all or nothing.

    A database that is there is refused, or set aside with ``replace``. Raises BackupFailed,
    OSError, DataDirUnusable while a server runs and where the data is in a Postgres, and what
    ``secret_mark`` raises.
    """
    become_owner_of(settings.data_dir)
    with exclusive(settings.data_dir) as data_dir:
        if settings.database_url is None:
            _insist_on_room(data_dir, replace=replace)
        with _received(data_dir, source) as (shelf, manifest):
            if settings.database_url is not None:
                _restore_postgres(settings.database_url.reveal(), shelf.content, manifest)
                aside = None
            else:
                aside = _restore_sqlite(data_dir, shelf.content, manifest)
    mark = secret_mark(settings)
    return Restored(manifest, aside, bool(manifest.secret_mark) and manifest.secret_mark != mark)


@contextmanager
def _received(data_dir: Path, source: IO[bytes]) -> Iterator[tuple[Shelf, Manifest]]:
    with passing_shelf_in(data_dir / _INCOMING) as shelf:
        with open(shelf.content, "wb", opener=privately) as file:
            manifest = read_archive(source, file.write)
        yield shelf, manifest


def _insist_on_room(data_dir: Path, *, replace: bool) -> None:
    check_no_postgres(data_dir)  # it can't be set aside: it may run
    if replace:
        return
    check_elsewhere(data_dir)
    database, log, _ = database_files(data_dir)
    for path in (database, log):
        if path.exists() and path.stat().st_size:
            raise BackupFailed(
                f"{path} is there: with --replace it is set aside, in a folder beside it; or "
                "choose another --data-dir"
            )


def _restore_sqlite(data_dir: Path, content: Path, manifest: Manifest) -> Path | None:
    from antiphon_server.backups.sqlite_copy import begin_new_history, examine, revisions_of

    if not manifest.is_sqlite:
        raise BackupFailed("it is of a Postgres: name an empty one by ANTIPHON_DATABASE_URL")
    _same(manifest.heads, examine(content))
    if revisions_of(content) != manifest.revisions:
        raise BackupFailed("its tables are not those that it says it has: take another one")
    begin_new_history(content)
    sync(content)
    aside = _set_aside(data_dir)
    content.rename(data_dir / DATABASE_FILE)
    sync(data_dir)
    return aside


def _restore_postgres(url: str, content: Path, manifest: Manifest) -> None:
    from antiphon_server.backups.postgres_dump import examine_dump, restore_dump

    if manifest.is_sqlite:
        raise BackupFailed("it is of a server with its own database: unset ANTIPHON_DATABASE_URL")
    _same(manifest.heads, examine_dump(content))
    restore_dump(url, content)


def _same(told: Heads, found: Heads) -> None:
    if told != found:
        raise BackupFailed("its logs do not end where they did when it was made: take another one")


def _set_aside(data_dir: Path) -> Path | None:
    """Move what is there: a WAL of another database would be taken for the new one's."""
    files = [*database_files(data_dir), data_dir / MOVED_FILE]
    there = [path for path in files if path.exists()]
    if not there:
        return None
    aside = data_dir / datetime.now(UTC).strftime("replaced-%Y%m%dT%H%M%S.%fZ")
    aside.mkdir(mode=0o700)
    for path in there:  # the database first: what is left without it is refused at a start
        path.rename(aside / path.name)
    return aside
