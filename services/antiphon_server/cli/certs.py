"""``antiphon certs``."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import fail, say

if TYPE_CHECKING:
    from antiphon_server.runtime.net.authority import Pair

AUTHORITY = "ca"
EDGE = "edge"
LOCAL = ("localhost", "127.0.0.1", "::1")
_HOST = re.compile(r"(\*\.)?[\w-]+(\.[\w-]+)*\.?|[0-9a-fA-F:]*:[0-9a-fA-F:.]*", re.ASCII)
_SETTINGS = """\
Give each process its own, for example `antiphon serve auth` with
  ANTIPHON_TLS_CERT={folder}/auth.pem
  ANTIPHON_TLS_KEY={folder}/auth.key
  ANTIPHON_TLS_CLIENT_CA={folder}/ca.pem
  ANTIPHON_PEER_CA={folder}/ca.pem
Keep ca.key away from all of them: whoever has it can pass for any."""


def certs(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files go.")],
    hosts: Annotated[
        list[str] | None,
        typer.Option("--host", help="A name or address of the machines, besides localhost."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=825, help="How long they are valid.")] = 90,
) -> None:
    """Make certificates by which services that run apart know each other (mutual TLS).

    One for each service and for the edge, by an authority that is made at the first time. Run it
    again to renew them; servers and edges take new files without a restart, servers for their
    peers at the next one. Any other authority's certificates will do as well.

    For example:

    - `antiphon certs ./certs`
    - `antiphon certs ./certs --host 10.0.0.5 --host auth.internal`
    """
    from antiphon_server.auth.adapters.secret_files import ExposedFileError
    from antiphon_server.installation import NAMES
    from antiphon_server.runtime.net.authority import issue

    if folder.exists() and not folder.is_dir():
        fail(f"{folder}: this is a file, no folder")
    for host in hosts or ():
        if not _HOST.fullmatch(host):
            fail(f"--host: '{host}' is no name or address of a machine", 2)
    try:
        authority = _authority(folder)
        for name in (*NAMES, EDGE):
            _write(folder, name, issue(authority, name, (name, *LOCAL, *(hosts or ())), days))
    except OSError as error:
        fail(f"{error.filename or folder}: {error.strerror}")
    except (ValueError, ExposedFileError) as error:
        fail(f"{folder}: {error}")
    say(f"Certificates of {', '.join((*NAMES, EDGE))} for {days} days are in {folder}.")
    say(_SETTINGS.format(folder=folder))


def _authority(folder: Path) -> "Pair":
    """The one that is there, or a new one."""
    from antiphon_server.auth.adapters.secret_files import read_private
    from antiphon_server.runtime.net.authority import Pair, new_authority

    certificate, key = folder / f"{AUTHORITY}.pem", folder / f"{AUTHORITY}.key"
    for lost, other in ((key, certificate), (certificate, key)):
        if other.exists() and not lost.exists():
            fail(
                f"{lost} is missing: put it back; or remove {other}, too, for a new authority, "
                "whose certificates all processes have to be given"
            )
    if key.exists():
        return Pair(certificate.read_bytes(), read_private(key))
    made = new_authority()
    _write(folder, AUTHORITY, made)
    return made


def _write(folder: Path, name: str, pair: "Pair") -> None:
    from antiphon_server.auth.adapters.secret_files import write_private

    write_private(folder / f"{name}.key", pair.key)
    (folder / f"{name}.pem").write_bytes(pair.certificate)
