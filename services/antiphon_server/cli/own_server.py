"""A server for as long as a command takes, where none runs on the data directory."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon_server.cli.console import CommandError, aside, run
from antiphon_server.cli.guests import present
from antiphon_server.cli.local_server import LocalServer
from antiphon_server.cli.paths import OPERATOR_FILE, data_dir_or_default
from antiphon_server.cli.server_file import told_in


@dataclass(frozen=True, slots=True)
class Found:
    """Where the server is; ``own`` if it was started for this."""

    address: str
    own: LocalServer | None = None


@contextmanager
def found_or_started(
    address: str, data_dir: Path | None, tell: Callable[[str], None] = aside
) -> Iterator[Found]:
    """The server that the options mean; on this machine one is started if there is none.

    It stays as long as others use it. ``tell`` is told of a start. Raises CommandError.
    """
    from antiphon_server.cli.where import local_server, server_for

    folder = data_dir_or_default(data_dir)
    with ExitStack() as stack:
        at, own = server_for(address, folder) if address else local_server(folder), None
        if at is None:
            tell("starting a server")
            own = LocalServer(folder)
            stack.callback(own.stop)
            at = _start(own, folder)
        told = told_in(folder)
        if at == told.get("address") and told.get("session"):  # what people started needs no guests
            stack.enter_context(present(folder))  # left before an own server is stopped
        yield Found(at, own)


def _start(own: LocalServer, folder: Path) -> str:
    """Start an own server; where another command was faster, use that one's."""
    try:
        return own.start()
    except CommandError:
        from antiphon_server.cli.where import local_server, started_server

        found = local_server(folder) or started_server(folder)
        if found is None:
            raise
        return found


def run_at(
    address: str, data_dir: Path | None, work: Callable[[str], Coroutine[Any, Any, None]]
) -> None:
    """Do it at the server that is meant, or at one that is started for it.

    Who has no data here, but a login elsewhere, is told of that.
    """
    from antiphon_server.cli.logins import hint
    from antiphon_server.cli.where import server_for

    folder = data_dir_or_default(data_dir)
    if not address and hint() and not (folder / OPERATOR_FILE).exists():
        address = server_for("", folder)
    with found_or_started(address, data_dir) as found:
        run(work(found.address))
