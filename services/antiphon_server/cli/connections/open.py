"""``antiphon connections open``: a WebSocket at the terminal, a line is a message, both ways."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import aside, in_a_line, say
from antiphon_server.cli.options import Address, DataDir, Name
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.which_workspace import Where, workspace_of

if TYPE_CHECKING:
    from antiphon.integration.v1.connection_service_pb2 import RelayEnded
    from antiphon_client import LiveRelay

MOST_LINES = 16
"""So many are read before they are sent."""


def open_relay(
    name: Name,
    count: Annotated[
        int, typer.Option("--count", min=0, help="End after so many messages; 0: never.")
    ] = 0,
    workspace: Where = "",
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Talk to a server of WebSockets: each line is sent as it is, and each message printed.

    For example:

    - `antiphon connections open prices`
    - `echo '{"method": "subscribe"}' | antiphon connections open prices --count 10`
    """
    run_at(address, data_dir, lambda at: _relayed(name, count, workspace, at, data_dir))


async def _relayed(name: str, count: int, workspace: str, address: str, data_dir: DataDir) -> None:
    """Send the lines of stdin, and print what comes, until it is over or ``count`` have come."""
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        where = await workspace_of(client, workspace)
        async with client.relay(where, name) as relay:
            aside(f"· {in_a_line(name)} is open; each line is a message, Ctrl-C ends it")
            sending = asyncio.create_task(_send(relay), name="antiphon relay lines")
            try:
                await _print(relay, count)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)


async def _print(relay: "LiveRelay", left: int) -> None:
    async for message in relay:
        say(message if isinstance(message, str) else message.decode(errors="replace"))
        left -= 1
        if left == 0:
            return
    assert relay.ended is not None
    aside(ending(relay.ended))


def ending(ended: "RelayEnded") -> str:
    """Why it is over, with what the other side has said to that."""
    from antiphon.integration.v1.connection_service_pb2 import RelayCloseReason
    from antiphon_server.cli.kinds import name_of

    why = name_of(RelayCloseReason, "RELAY_CLOSE_REASON_", ended.reason)
    words = " ".join(filter(None, (str(ended.code or ""), in_a_line(ended.text))))
    return f"· it is over: {why}{f' ({words})' if words else ''}"


async def _send(relay: "LiveRelay") -> None:
    async for line in _lines():
        await relay.send(line)


async def _lines() -> AsyncIterator[str]:
    """Of stdin, by a thread that nobody waits for: it may never see the next one."""
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[str | None](MOST_LINES)

    def read() -> None:
        for line in sys.stdin:
            asyncio.run_coroutine_threadsafe(lines.put(line.rstrip("\r\n")), loop).result()
        asyncio.run_coroutine_threadsafe(lines.put(None), loop).result()

    threading.Thread(target=read, name="antiphon stdin", daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line
