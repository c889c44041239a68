"""Finding a server for a chat, or starting one."""

from contextlib import ExitStack
from pathlib import Path

from antiphon_client import Client
from antiphon_server.cli.chat.loop_thread import LoopThread
from antiphon_server.cli.chat.screen import Screen
from antiphon_server.cli.chat.talk import Talk, Wishes
from antiphon_server.cli.own_server import found_or_started
from antiphon_server.cli.paths import data_dir_or_default
from antiphon_server.cli.where import Access, access_to


def open_talk(
    stack: ExitStack,
    loop: LoopThread,
    screen: Screen,
    wishes: Wishes,
    address: str,
    data_dir: Path | None,
    *,
    listens: bool,
) -> Talk:
    """A talk with the server that the options mean; what it needs is closed by ``stack``.

    Raises CommandError, AntiphonError.
    """
    folder = data_dir_or_default(data_dir)
    screen.status("looking for a server")
    found = stack.enter_context(found_or_started(address, folder, screen.status))
    access = access_to(found.address, folder)
    talk = Talk(screen, wishes, found.own, listens=listens)
    screen.status("signing in")
    loop.call(_connect(talk, found.address, access))
    stack.callback(lambda: loop.call(_close(talk)))
    stack.callback(loop.start(talk.news.run()).cancel)
    loop.call(talk.client.who_am_i())
    screen.clear_status()
    return talk


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
