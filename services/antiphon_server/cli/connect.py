"""Clients for commands."""

from collections.abc import Callable
from pathlib import Path

from antiphon_client import Client, Connection
from antiphon_server.cli.paths import data_dir_or_default
from antiphon_server.cli.where import access_to, server_for

_DEVICE = "antiphon cli"


def nothing(connection: Connection) -> None:
    """Tell nobody how the connection is."""


def client_for(
    address: str,
    data_dir: Path | None,
    *,
    end_session: bool = True,
    give_up_after: float = 300.0,
    on_connection: Callable[[Connection], None] = nothing,
    start: str = "antiphon up",
) -> Client:
    """Return a client for the server that the options select.

    Raises CommandError if no server is listening and ``start`` does not allow starting one, or if
    there are no credentials for it.
    """
    folder = data_dir_or_default(data_dir)
    found = server_for(address, folder, start)
    access = access_to(found, folder, end_session=end_session)
    return Client.connect(
        found,
        access.credentials,
        store=access.store,
        tls=access.tls,
        device=_DEVICE,
        give_up_after=give_up_after,
        patient=False,  # a person waits, and can say so again
        on_connection=on_connection,
    )
