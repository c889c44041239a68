"""Putting a backup back, where no server runs."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple

from antiphon_server.app.own_database import database_files, keeps_postgres, postgres_folder
from antiphon_server.app.schemas import DATABASE_FILE, MIGRATED_MARK, MOVED_FILE
from antiphon_server.backups.archive import read_archive
from antiphon_server.backups.failure import BackupFailed
from antiphon_server.backups.heads import Heads
from antiphon_server.backups.keys import secrets_in
from antiphon_server.backups.making import note_if_known
from antiphon_server.backups.manifest import Manifest
from antiphon_server.backups.ownership import become_owner_of
from antiphon_server.backups.sealing import opened
from antiphon_server.backups.secret_mark import secret_mark
from antiphon_server.backups.shelf import Shelf, passing_shelf_in, privately, sync
from antiphon_server.runtime.storage.data_dir_lock import exclusive
from antiphon_server.settings import Settings
from antiphon_server.stores.local_postgres import running_postgres

_INCOMING, _INCOMING_POSTGRES = "incoming-backup", "incoming-postgres"


class Restored(NamedTuple):
    """What was put back; where what was there before is now, and whether the secret is another."""

    manifest: Manifest
    aside: Path | None
    other_secret: bool


def check_backup(settings: Settings, source: IO[bytes], keys: Path | None = None) -> Manifest:
    """Read all of a backup, as a restore would, and change nothing but what is known of backups.

    Raises BackupFailed, OSError, and what ``secret_mark`` raises.
    """
    manifest = read_archive(opened(source, secrets_in(keys)))
    if settings.data_dir.exists() and manifest.secret_mark == secret_mark(settings) != "":
        become_owner_of(settings.data_dir)
        note_if_known(settings, manifest)
    return manifest


def restore(
    settings: Settings, source: IO[bytes], keys: Path | None = None, *, replace: bool = False
) -> Restored:
    """Put a backup back, all or nothing; one that is sealed by its key in the folder ``keys``.

    A database that is there is refused, or set aside with ``replace``. Raises BackupFailed,
    OSError, DataDirUnusable while a server runs, and what ``secret_mark`` raises.
    """
    become_owner_of(settings.data_dir)
    with exclusive(settings.data_dir) as data_dir:
        if settings.database_url is None:
            _insist_on_room(data_dir, replace=replace)
        with _received(data_dir, opened(source, secrets_in(keys))) as (shelf, manifest):
            if settings.database_url is not None:
                _restore_postgres(settings.database_url.reveal(), shelf.content, manifest)
                aside = None
            elif manifest.is_sqlite:
                aside = _restore_sqlite(data_dir, shelf.content, manifest)
            else:
                aside = _restore_own_postgres(data_dir, shelf.content, manifest)
    mark = secret_mark(settings)
    return Restored(manifest, aside, bool(manifest.secret_mark) and manifest.secret_mark != mark)


@contextmanager
def _received(data_dir: Path, source: IO[bytes]) -> Iterator[tuple[Shelf, Manifest]]:
    with passing_shelf_in(data_dir / _INCOMING) as shelf:
        with open(shelf.content, "wb", opener=privately) as file:
            manifest = read_archive(source, file.write)
        yield shelf, manifest


def _insist_on_room(data_dir: Path, *, replace: bool) -> None:
    own = postgres_folder(data_dir)
    if keeps_postgres(data_dir) and running_postgres(own) is not None:
        raise BackupFailed(f"the Postgres in {own} runs: stop `antiphon up --mesh` first")
    there = next(filter(_holds_data, _there(data_dir)), None)
    if there is not None and not replace:
        raise BackupFailed(
            f"{there} is there: with --replace it is set aside, in a folder beside it; or "
            "choose another --data-dir, or name a Postgres by ANTIPHON_DATABASE_URL"
        )


def _holds_data(path: Path) -> bool:
    shared_memory = path.name.endswith("-shm")
    return path.is_dir() or (path.stat().st_size > 0 and not shared_memory)


def _there(data_dir: Path) -> list[Path]:
    """What data is in, or was in before a migration: nothing of it stays beside what is restored.

    The database comes first: what is left without it is refused at a start.
    """
    files = [*database_files(data_dir), data_dir / MOVED_FILE, data_dir / MIGRATED_MARK]
    return [path for path in (*files, postgres_folder(data_dir)) if path.exists()]


def _restore_sqlite(data_dir: Path, content: Path, manifest: Manifest) -> Path | None:
    from antiphon_server.backups.sqlite_copy import begin_new_history, examine, revisions_of

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


def _restore_own_postgres(data_dir: Path, content: Path, manifest: Manifest) -> Path | None:
    """Into a new one, which takes its place when all is in it."""
    from antiphon_server.backups.own_postgres import with_postgres

    made = data_dir / _INCOMING_POSTGRES
    shutil.rmtree(made, ignore_errors=True)  # of one that was killed
    try:
        with_postgres(made, lambda url: _restore_postgres(url, content, manifest))
        aside = _set_aside(data_dir)
        made.rename(postgres_folder(data_dir))
        sync(data_dir)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return aside


def _same(told: Heads, found: Heads) -> None:
    if told != found:
        raise BackupFailed("its logs do not end where they did when it was made: take another one")


def _set_aside(data_dir: Path) -> Path | None:
    """Move what is there: a WAL of another database would be taken for the new one's."""
    there = _there(data_dir)
    if not there:
        return None
    aside = data_dir / datetime.now(UTC).strftime("replaced-%Y%m%dT%H%M%S.%fZ")
    aside.mkdir(mode=0o700)
    for path in there:
        path.rename(aside / path.name)
    return aside
