"""Finding a server for a chat, or starting one."""

from contextlib import ExitStack
from pathlib import Path

from antiphon_client import Client
from antiphon_server.cli.chat.loop_thread import LoopThread
from antiphon_server.cli.chat.screen import Screen
from antiphon_server.cli.chat.talk import Talk, Wishes
from antiphon_server.cli.console import CommandError
from antiphon_server.cli.guests import present
from antiphon_server.cli.local_server import LocalServer
from antiphon_server.cli.paths import data_dir_or_default
from antiphon_server.cli.server_file import told_in
from antiphon_server.cli.where import Access, access_to, local_server, server_for


def open_talk(
    stack: ExitStack,
    loop: LoopThread,
    screen: Screen,
    wishes: Wishes,
    address: str,
    data_dir: Path | None,
) -> Talk:
    """A talk with the server that the options mean; what it needs is closed by ``stack``.

    Raises CommandError, AntiphonError.
    """
    folder = data_dir_or_default(data_dir)
    screen.status("looking for a server")
    own: LocalServer | None = None
    found = server_for(address, folder) if address else local_server(folder)
    if found is None:
        screen.status("starting a server")
        own = LocalServer(folder)
        stack.callback(own.stop)
        found = _start(own, folder)
    if found == told_in(folder).get("address"):  # else it is the server of another folder
        stack.enter_context(present(folder))  # left before an own server is stopped
    access = access_to(found, folder)
    talk = Talk(screen, wishes, own)
    screen.status("signing in")
    loop.call(_connect(talk, found, access))
    stack.callback(lambda: loop.call(_close(talk)))
    loop.call(talk.client.who_am_i())
    screen.clear_status()
    return talk


def _start(own: LocalServer, folder: Path) -> str:
    """Start an own server; where another chat was faster, use that one's."""
    try:
        return own.start()
    except CommandError:
        found = local_server(folder)
        if found is None:
            raise
        return found


async def _connect(talk: Talk, address: str, access: Access) -> None:
    talk.client = Client.connect(
        address,
        access.credentials,
        store=access.store,
        tls=access.tls,
        device="antiphon chat",
        give_up_after=float("inf"),
        on_connection=talk.on_connection,
    )


async def _close(talk: Talk) -> None:
    await talk.leave()
    await talk.client.close()
