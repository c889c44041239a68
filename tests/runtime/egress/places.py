"""A listener that nobody may reach, and names that lead to it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.egress.httpx2_transport import GuardedTransport
from antiphon_server.runtime.net.egress.policy import EgressPolicy

LOOPBACK = "127.0.0.1"
PUBLIC = "93.184.215.14"
HERE = Dialler(EgressPolicy.allowing(["localhost"], ["127.0.0.0/8", "::1/128"]))
"""Connects to what listens on this machine, as an operator may allow."""


def guarded() -> GuardedTransport:
    """The transport that MCP has, for servers on this machine."""
    return GuardedTransport(HERE)


class Canary:
    """Listens on this machine, and counts who comes."""

    def __init__(self) -> None:
        self.visits = 0
        self.port = 0

    async def visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        writer.close()


@asynccontextmanager
async def canary() -> AsyncIterator[Canary]:
    """A canary on all addresses of IPv4 of this machine."""
    found = Canary()
    server = await asyncio.start_server(found.visited, "0.0.0.0", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found


class Names:
    """A resolver whose names have a list of answers each, the last for ever."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {name.replace("_", "."): list(each) for name, each in answers.items()}
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        if host not in self._answers:
            raise OSError("no such name")
        found = self._answers[host]
        return found.pop(0) if len(found) > 1 else found[0]
