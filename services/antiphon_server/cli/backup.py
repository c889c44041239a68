"""``antiphon backup`` and ``antiphon restore``."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import CommandError, fail, say
from antiphon_server.cli.options import DataDir

if TYPE_CHECKING:
    from antiphon_server.backups import Manifest
    from antiphon_server.settings import Settings

_STREAM = "-"
_SECRET = (
    "Not in it: the installation's secret ({place}). Keep a copy of that one elsewhere; without "
    "it everybody has to sign in again."
)
_OF_ROOT = (
    "It belongs to root: where the server runs as another user, `chown -R USER:GROUP {folder}`."
)
_OTHER_SECRET = (
    "It was made with another secret than {place} has: put that one back before you start, or the "
    "server will not."
)
_NO_SECRET = (
    "The secret that it was made with is not here. Put it back as {place} before you start: "
    "production does not start without it; in development a new one is made, and everybody has to "
    "sign in again."
)


Keys = Annotated[
    Path | None,
    typer.Option(
        "--keys",
        metavar="FOLDER",
        envvar="ANTIPHON_BACKUP_KEYS",
        help="Where keys of backups are, one for each: without it a backup can't be opened.",
    ),
]


def backup(
    to: Annotated[
        str, typer.Option("--to", metavar="FOLDER", help="Where it goes; - is standard output.")
    ],
    keep: Annotated[int, typer.Option(min=0, help="Keep so many, the newest; 0 removes none.")] = 0,
    keys: Keys = None,
    data_dir: DataDir = None,
) -> None:
    """Make a backup of all that is stored, while servers run: one file, read back and found whole.

    Where ANTIPHON_DATABASE_URL is set it is of that Postgres (by pg_dump), else of the data folder,
    where `antiphon up --mesh` may have a Postgres of its own. The installation's secret is not in
    it. Run by root it goes on as the data's owner.

    With --keys each is sealed by a key of its own. --keep destroys the keys of older ones, and with
    them every copy, wherever that is: so what was erased is gone from these as well.

    For example:

    - `antiphon backup --to /var/backups/antiphon --keep 14`
    - `antiphon backup --to /var/backups/antiphon --keys /mnt/keys --keep 14`
    - `antiphon backup --to - | aws s3 cp - s3://bucket/antiphon.tar`
    """
    with _failures():
        settings = _settings(data_dir)
        keys = None if keys is None else keys.expanduser()
        if to == _STREAM:
            _send(settings, keep, keys)
        else:
            _make(settings, Path(to).expanduser(), keep, keys)


def restore(
    source: Annotated[str, typer.Argument(metavar="FILE", help="A backup; - is standard input.")],
    keys: Keys = None,
    data_dir: DataDir = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Set aside what is there, in a folder beside it.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only read it, and say whether it is whole.")
    ] = False,
) -> None:
    """Put a backup back, where no server runs: all of it, or nothing is changed.

    Into the data folder, or into the empty Postgres of ANTIPHON_DATABASE_URL. One of a Postgres,
    where none is named, becomes the one that `antiphon up --mesh` runs in the data folder.
    Clients that follow begin again, since what came after the backup is gone. Run by root it goes
    on as the folder's owner.

    For example:

    - `antiphon restore /var/backups/antiphon/antiphon-20261123T030000Z.tar`
    - `aws s3 cp s3://bucket/antiphon.tar - | antiphon restore --check -`
    """
    from antiphon_server.backups import check_backup
    from antiphon_server.backups import restore as put_back
    from antiphon_server.backups.secret_mark import place_of_secret, secret_mark

    with _failures():
        settings = _settings(data_dir)
        keys = None if keys is None else keys.expanduser()
        with _source(source) as file:
            if check:
                say(f"It is whole: {_told(check_backup(settings, file, keys))}.")
                return
            done = put_back(settings, file, keys, replace=replace)
        say(f"Restored {_told(done.manifest)}.")
        if done.aside is not None:
            say(f"What was there before is in {done.aside}.")
        if os.geteuid() == 0:
            say(_OF_ROOT.format(folder=settings.data_dir), err=True)
        if done.other_secret:
            is_lost = not (secret_mark(settings) or settings.shares_store)
            told = _NO_SECRET if is_lost else _OTHER_SECRET
            say(told.format(place=place_of_secret(settings)), err=True)


def _make(settings: "Settings", folder: Path, keep: int, keys: Path | None) -> None:
    from antiphon_server.backups import back_up
    from antiphon_server.backups.secret_mark import place_of_secret

    made = back_up(settings, folder, keep, keys)
    say(f"{made.path}: {_told(made.manifest)}, read back.")
    for path in made.removed:
        say(f"Removed {path.name}.")
    if made.destroyed:
        keys_of = _counted(made.destroyed, "key")
        say(f"Destroyed {keys_of}: no copy of these backups can be opened any more.")
    say(_SECRET.format(place=place_of_secret(settings)))


def _send(settings: "Settings", keep: int, keys: Path | None) -> None:
    from antiphon_server.backups import send_backup
    from antiphon_server.backups.secret_mark import place_of_secret

    if keep:
        raise CommandError(
            "--keep is for a folder. Whether a stream has arrived only `restore --check` tells: "
            "remove older ones, and their keys, after that"
        )
    if sys.stdout.isatty():
        raise CommandError("this would be written to the terminal: `--to - | …`, or --to FOLDER")
    manifest = send_backup(settings, sys.stdout.buffer, keys)
    say(f"Sent {_told(manifest)}.", err=True)
    say(_SECRET.format(place=place_of_secret(settings)), err=True)


def _told(manifest: "Manifest") -> str:
    size, heads = manifest.size / (1 << 20), manifest.heads
    logs = _counted(heads.logs, "log")
    return f"what was stored at {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC, {size:.1f} MiB, {logs}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _settings(data_dir: Path | None) -> "Settings":
    from antiphon_server.runtime.configuration import WrongSetting
    from antiphon_server.settings import read_settings

    os.umask(0o077)
    try:
        return read_settings(**({} if data_dir is None else {"data_dir": data_dir.expanduser()}))
    except WrongSetting as error:
        fail(str(error), 2)


@contextmanager
def _source(name: str) -> Iterator[IO[bytes]]:
    """Opened as whoever runs the command."""
    if name == _STREAM:
        yield sys.stdin.buffer
        return
    with Path(name).expanduser().open("rb") as file:
        yield file


@contextmanager
def _failures() -> Iterator[None]:
    from antiphon_server.auth.adapters.secret_files import ExposedFileError
    from antiphon_server.auth.adapters.server_secret import UnusableSecretError
    from antiphon_server.backups import BackupFailed
    from antiphon_server.runtime.storage.data_dir_lock import DataDirUnusable

    try:
        yield
    except BrokenPipeError:
        raise CommandError("whoever was to read the backup has gone; it is not whole") from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise CommandError(f"{where}{error.strerror or error}") from None
    except (BackupFailed, DataDirUnusable, ExposedFileError, UnusableSecretError) as error:
        raise CommandError(str(error)) from None
