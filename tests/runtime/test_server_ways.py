"""The ways to other servers, as they are opened and closed."""

import asyncio
from typing import Any

from antiphon_server.runtime.channels.server_ways import ServerWays


class Channel:
    """A channel that takes a moment to close."""

    def __init__(self) -> None:
        self.closed = 0

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.closed += 1


async def test_a_call_that_comes_while_all_are_closed_spoils_nothing() -> None:
    """Each is closed once, and the one that it opens by the next time."""
    opened: dict[str, Channel] = {}

    def open_channel(address: str) -> Any:
        return opened.setdefault(address, Channel())

    ways = ServerWays(open_channel)
    await ways.to("a")
    await ways.to("b")
    await asyncio.gather(ways.close(), ways.to("c"))
    await ways.close()
    assert {address: it.closed for address, it in opened.items()} == {"a": 1, "b": 1, "c": 1}
