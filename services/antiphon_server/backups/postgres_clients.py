"""Postgres' own programs for clients: pg_dump, pg_restore and psql."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from antiphon_server.backups.failure import BackupFailed
from antiphon_server.stores.programs import StoresMissing, postgres_programs

_VERSION = re.compile(rb"(\d+)\.(\d+)")
_PLAIN = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1")


def run(program: str, url: str, *arguments: str) -> bytes:
    """Run one of them, and return what it printed. Raises BackupFailed."""
    with TemporaryFile() as said:
        done = subprocess.run(
            _command(program, url, arguments),
            env=_environment(url),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            check=False,
        )
        _insist(program, done.returncode, said)
    return done.stdout


@contextmanager
def in_one_transaction(url: str) -> Iterator[IO[bytes]]:
    """A script for psql: all of it is done, or, if it is not written to its end, nothing.

    What psql refuses breaks the pipe, and is raised at the end. Raises BackupFailed.
    """
    with (
        TemporaryFile() as said,
        subprocess.Popen(
            _command("psql", url, _PLAIN),
            env=_environment(url),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
        ) as psql,
    ):
        assert psql.stdin is not None
        try:
            with suppress(BrokenPipeError), psql.stdin as script:
                script.write(b"BEGIN;\n")
                yield script
                script.write(b"COMMIT;\n")
        except BaseException:
            psql.kill()
            raise
        _insist("psql", psql.wait(), said)


def pour(program: str, arguments: Sequence[str], script: IO[bytes]) -> None:
    """Write what a program prints. Raises BackupFailed."""
    with (
        TemporaryFile() as said,
        subprocess.Popen(
            _command(program, "", arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
        ) as printing,
    ):
        assert printing.stdout is not None
        shutil.copyfileobj(printing.stdout, script)
        _insist(program, printing.wait(), said)


def _command(program: str, url: str, arguments: Sequence[str]) -> list[str]:
    parts = urlsplit(url)
    shown = url.replace(f":{parts.password}@", "@", 1) if parts.password else url
    where = (f"--dbname={shown}",) if url else ()  # others can see arguments
    return [str(_newest(program)), *where, *arguments]


def _environment(url: str) -> Mapping[str, str]:
    password = urlsplit(url).password
    return {**os.environ, **({"PGPASSWORD": unquote(password)} if password else {})}


def _insist(program: str, status: int, said: IO[bytes]) -> None:
    if status:
        said.seek(0)
        words = said.read().decode(errors="replace").strip()[-500:]
        raise BackupFailed(f"{program}: {words}")


def _newest(program: str) -> Path:
    """One that is as new as the server can read and write what it has. Raises BackupFailed."""
    found = [Path(path)] if (path := shutil.which(program)) else []
    with suppress(StoresMissing):
        found.append(postgres_programs() / program)
    if not found:
        raise BackupFailed(
            f"{program} is missing: install Postgres' programs for clients, of the server's "
            "version or a newer one (`apt install postgresql-client`)"
        )
    return max(found, key=_version)


def _version(program: Path) -> Any:
    printed = subprocess.run([program, "--version"], capture_output=True, check=False).stdout
    number = _VERSION.search(printed)
    return tuple(map(int, number.groups())) if number else ()
