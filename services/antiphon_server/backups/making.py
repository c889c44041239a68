"""Making a backup, while servers run."""

from contextlib import nullcontext
from pathlib import Path
from typing import IO, NamedTuple

from antiphon_server.app.own_database import keeps_postgres, postgres_folder
from antiphon_server.app.schemas import DATABASE_FILE
from antiphon_server.backups.archive import measured, read_archive, write_archive
from antiphon_server.backups.failure import BackupFailed
from antiphon_server.backups.keys import Key, KeyFolder, SecretOf, key_folder, no_key
from antiphon_server.backups.manifest import POSTGRES_DUMP, Manifest, manifest_of
from antiphon_server.backups.ownership import become_owner_of
from antiphon_server.backups.sealing import key_names, opened, sealed_to
from antiphon_server.backups.secret_mark import secret_mark
from antiphon_server.backups.shelf import SEALED, Shelf, passing_shelf_in, privately, shelf_in
from antiphon_server.runtime.storage.last_backup import note_backup
from antiphon_server.settings import Settings

_OUTGOING = "outgoing-backup"


class Made(NamedTuple):
    """The backup's file, those older ones that it took the place of, and how many keys went."""

    path: Path
    manifest: Manifest
    removed: list[Path]
    destroyed: int = 0


def back_up(settings: Settings, folder: Path, most: int = 0, keys: Path | None = None) -> Made:
    """Make one in the folder, and read it back; then keep the newest ``most`` alone, if not 0.

    With a folder of ``keys`` it is sealed by one of its own, which goes there; the keys of those
    that are removed are destroyed. Raises BackupFailed, OSError, and what ``secret_mark`` raises.
    """
    become_owner_of(settings.data_dir)
    with shelf_in(folder) as shelf:
        if keys is None:
            manifest = _copy(settings, shelf.content)
            with open(shelf.part, "wb", opener=privately) as file:
                write_archive(file, manifest, shelf.content)
            _read_back(shelf, manifest, no_key)
            path = shelf.put()
            made = Made(path, manifest, _removed(shelf.beyond(most, path)))
        else:
            with key_folder(keys, folder, settings.data_dir) as owned:
                made = _sealed(settings, shelf, owned, most)
    note_if_known(settings, made.manifest)
    return made


def send_backup(settings: Settings, target: IO[bytes], keys: Path | None = None) -> Manifest:
    """Write one to a stream, of a copy that was read back; what arrives is for its reader to check.

    The copy is in the data folder meanwhile. Raises what ``back_up`` raises.
    """
    become_owner_of(settings.data_dir)
    if keys is None:
        return _sent(settings, target)
    with key_folder(keys, settings.data_dir) as owned, owned.new() as key:
        manifest = _sent(settings, target, key)
        owned.publish(key)
        return manifest


def _sealed(settings: Settings, shelf: Shelf, keys: KeyFolder, most: int) -> Made:
    with keys.new() as key:
        with open(shelf.part, "wb", opener=privately) as file:
            # Not by way of the shelf: what it is made of would be beside it, in clear.
            manifest = _sent(settings, file, key)
        _read_back(shelf, manifest, lambda _: key.secret)
        keys.publish(key)
        path = shelf.put(SEALED)
    old = shelf.beyond(most, path)
    destroyed = keys.destroy(key_names(old))  # first: what is left can't be opened any more
    return Made(path, manifest, _removed(old), destroyed)


def _read_back(shelf: Shelf, manifest: Manifest, secret_of: SecretOf) -> None:
    with shelf.part.open("rb") as file:
        if read_archive(opened(file, secret_of)) != manifest:
            raise BackupFailed(f"{shelf.part} does not say what was written")


def _removed(paths: list[Path]) -> list[Path]:
    for path in paths:
        path.unlink()
    return paths


def _sent(settings: Settings, target: IO[bytes], key: Key | None = None) -> Manifest:
    with passing_shelf_in(settings.data_dir / _OUTGOING) as shelf:
        manifest = _copy(settings, shelf.content)
        with nullcontext(target) if key is None else sealed_to(target, key) as file:
            write_archive(file, manifest, shelf.content)
    return manifest


def note_if_known(settings: Settings, manifest: Manifest) -> None:
    """Let servers here show that there is one that could be read."""
    if settings.data_dir.exists():
        note_backup(settings.data_dir, manifest.made_at.timestamp())


def _copy(settings: Settings, content: Path) -> Manifest:
    mark = secret_mark(settings)
    database = settings.data_dir / DATABASE_FILE
    if settings.database_url is not None:
        return _dumped(settings.database_url.reveal(), content, mark)
    if not database.exists() and keeps_postgres(settings.data_dir):
        from antiphon_server.backups.own_postgres import with_postgres

        folder = postgres_folder(settings.data_dir)
        return with_postgres(folder, lambda url: _dumped(url, content, mark))
    if not database.exists():
        raise BackupFailed(
            f"{database} is not there: say where the data is by --data-dir or ANTIPHON_DATA_DIR"
        )
    from antiphon_server.backups.sqlite_copy import copy_database

    heads, revisions = copy_database(database, content)
    return manifest_of(DATABASE_FILE, measured(content), heads, revisions, mark)


def _dumped(url: str, content: Path, mark: str) -> Manifest:
    from antiphon_server.backups.postgres_dump import dump_database

    heads, revisions = dump_database(url, content)
    return manifest_of(POSTGRES_DUMP, measured(content), heads, revisions, mark)
