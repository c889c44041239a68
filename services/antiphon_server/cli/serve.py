"""``antiphon serve``."""

import contextlib
import os
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon_server.cli.announcing import announce
from antiphon_server.cli.console import fail
from antiphon_server.cli.options import DataDir
from antiphon_server.cli.paths import data_dir_or_default
from antiphon_server.cli.start import start
from antiphon_server.installation import NAMES, SERVICES

if TYPE_CHECKING:
    from antiphon_server.app import App
    from antiphon_server.settings import Settings

_NAMES = ", ".join(sorted(NAMES))
_PORTS = ", ".join(
    f"{each.port} {each.name}" for each in sorted(SERVICES, key=lambda service: service.port)
)


def serve(
    services: Annotated[list[str], typer.Argument(metavar="SERVICE...", help=f"Of {_NAMES}.")],
    host: Annotated[str | None, typer.Option(help="Where to listen. [default: 127.0.0.1]")] = None,
    port: Annotated[
        int | None,
        typer.Option(help=f"0 picks one. [default: {_PORTS}, for each that is named]"),
    ] = None,
    admin_port: Annotated[
        int | None, typer.Option(help="Metrics, on loopback; 0 picks one. [default: 0]")
    ] = None,
    data_dir: DataDir = None,
    model: Annotated[str | None, typer.Option(help="The default model.")] = None,
    log_level: Annotated[
        str | None, typer.Option(help="debug, info, warning or error. [default: info]")
    ] = None,
    log_format: Annotated[
        str | None, typer.Option(help="console or json. [default: console]")
    ] = None,
) -> None:
    """Run some of the services in this process; the others run elsewhere.

    Where those are, ANTIPHON_PEERS says: {"auth": "host:port", …}; on one machine the
    default ports will do. All processes need the same secret: ANTIPHON_SECRET_KEY or
    ANTIPHON_SECRET_KEY_FILE; on one machine the first one makes it, in the data folder. What auth
    keeps is there, too; the other processes have folders of their services' names in it.

    For example:

    - `antiphon serve auth context` (each of these in a terminal of its own)
    - `antiphon serve events`
    - `antiphon serve dispatcher integration`
    """
    named = _named(services)
    base = data_dir_or_default(data_dir)
    given = {
        "services": named,
        "host": host,
        "port": port,
        "admin_port": admin_port,
        "data_dir": base if "auth" in named else base / "+".join(named),
        "model": model,
        "log_level": log_level,
        "log_format": log_format,
    }
    told = {key: value for key, value in given.items() if value is not None}
    start({**_defaults(named, told, base), **told}, _work)


def _named(services: list[str]) -> list[str]:
    for name in services:
        if name not in NAMES:
            fail(f"there is no service {name}; there are {_NAMES}", 2)
    return [name for name in NAMES if name in services]


def _defaults(named: list[str], told: dict[str, Any], base: Path) -> dict[str, Any]:
    """What is the case for services apart, unless they are told otherwise."""
    from antiphon_server.runtime.configuration import WrongSetting, from_environment
    from antiphon_server.settings import PREFIX, Settings

    try:
        environment = from_environment(PREFIX, Settings, os.environ)
    except WrongSetting as error:
        fail(str(error), 2)
    known = {**environment, **told}
    found: dict[str, Any] = {} if "admin_port" in known else {"admin_port": 0}
    if "port" not in known:  # each service where its peers look for it
        found["port"], *found["more_ports"] = sorted(
            each.port for each in SERVICES if each.name in named
        )
    if not {"secret_key", "secret_key_file"} & known.keys():
        found["secret_key_file"] = _shared_secret(base)
    return found


def _shared_secret(base: Path) -> Path:
    """The secret beside the processes' folders; the first one makes it."""
    from antiphon_server.auth.adapters.secret_files import ExposedFileError
    from antiphon_server.auth.adapters.server_secret import (
        SECRET_FILE,
        UnusableSecretError,
        load_or_create,
    )
    from antiphon_server.runtime.storage.data_dir_lock import unusable

    try:
        load_or_create(base / SECRET_FILE)
    except OSError as error:
        fail(str(unusable(base, error)), 2)
    except (ExposedFileError, UnusableSecretError) as error:
        fail(str(error), 2)
    return base / SECRET_FILE


@contextlib.contextmanager
def _work(settings: "Settings") -> Iterator[Coroutine[Any, Any, None]]:
    from antiphon_server.app import serve as run

    def tell(app: "App") -> None:
        names = " and ".join(settings.services)
        elsewhere = ", ".join(
            f"{name} at {settings.peers.address(name)}" for name in settings.elsewhere
        )
        with contextlib.suppress(OSError):
            ports = ", ".join(map(str, (app.port, *settings.more_ports)))
            where = f"{settings.host}:{ports}"
            announce(f"{names} on {where}, data in {settings.data_dir}.", settings)
            if elsewhere:
                announce(f"Elsewhere: {elsewhere}.", settings)

    yield run(settings, tell)
