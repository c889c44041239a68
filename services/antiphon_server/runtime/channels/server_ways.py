"""The ways to other servers that do the same, for calls that go on there for their callers."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import grpc

from antiphon_server.runtime.net.addresses import forwarded_for

FORWARDED = "antiphon-forwarded"
PASSED_ON = frozenset({"authorization", "traceparent", "tracestate"})
IDLE_S = 600.0
"""So long the way to a server stays open that nobody is forwarded to: longer than any call."""

Metadata = tuple[tuple[str, str | bytes], ...]


@dataclass(slots=True)
class _Way:
    """A channel to another server, and when it was used last."""

    channel: grpc.aio.Channel
    used: float


class ServerWays:
    """``open_channel`` leads to an address; ``clock`` is in seconds."""

    def __init__(
        self,
        open_channel: Callable[[str], grpc.aio.Channel],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_channel, self._clock = open_channel, clock
        self._ways: dict[str, _Way] = {}

    async def to(self, address: str) -> grpc.aio.Channel:
        """The channel to the server at that address."""
        way = self._ways.get(address)
        if way is None:
            way = self._ways[address] = _Way(self._open_channel(address), self._clock())
            await self._close_idle()
        way.used = self._clock()
        return way.channel

    async def close(self) -> None:
        """Close them all."""
        ways, self._ways = self._ways, {}
        for way in ways.values():
            await way.channel.close()

    async def _close_idle(self) -> None:
        """Servers come and go, each at an address of its own."""
        since = self._clock() - IDLE_S
        idle = [address for address, way in self._ways.items() if way.used < since]
        for way in [self._ways.pop(address) for address in idle]:
            await way.channel.close()


def was_forwarded(metadata: Metadata) -> bool:
    """Whether another server has forwarded the call already: none does so twice."""
    return any(key == FORWARDED for key, _ in metadata)


def passed_on(metadata: Metadata) -> Metadata:
    """What a call brings that is forwarded: what its caller brought, and where that is."""
    kept = [pair for pair in metadata if pair[0] in PASSED_ON]
    return (*kept, *forwarded_for(), (FORWARDED, "1"))
