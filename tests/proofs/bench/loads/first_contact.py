"""Lean clients that begin anew for each turn: a conversation, a stream, a post, and good-bye.

A relay and a peer, which have no conversations of their own to make, are called once a turn.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from antiphon.context.v1.context_service_pb2 import CreateConversationResponse
from tests.proofs.bench.loads.client import Target, Window
from tests.proofs.bench.loads.http2 import Connection, Failed, connect
from tests.proofs.bench.loads.turns import CONVERSE, DELTA, GENERATE, Conversing, Tally

CREATE = "/antiphon.context.v1.ContextService/CreateConversation"
_TEXT = DELTA.encode()


@dataclass(frozen=True, slots=True)
class Job:
    """``clients`` at once for ``seconds``. Without a token ``path`` is called with ``request``.

    The request is in hexadecimal digits.
    """

    target: dict[str, Any]
    clients: int
    seconds: float
    deltas: int
    path: str = GENERATE
    request: str = ""


@dataclass(slots=True)
class Met(Tally):
    """What clients got, and how long each waited for its first text; all turns of this load."""

    first_s: list[float] = field(default_factory=list)
    all_turns: int = 0

    def met(self, begun: float, first: float, received: int) -> None:
        """A client has come and gone. Raises Incomplete."""
        self.ended(begun, received)
        self.all_turns += 1
        if self.window.counts(first):
            self.first_s.append(first - begun)


Turn = Callable[[], Awaitable[None]]


async def run(job: Job) -> dict[str, Any]:
    """Returns turns a second, the server's time a turn, and the waits for the first text.

    Raises Failed if no turn came to its end.
    """
    target = Target(**job.target)
    met = Met(Window(target, job.seconds), job.deltas)
    async with Clients(target, met, job.path, job.request) as clients:
        await met.window.run([await clients.one() for _ in range(job.clients)])
    if not met.all_turns:
        raise Failed(f"no turn ended within {job.seconds:g} s")
    window = met.window
    return {
        "turns_per_s": met.turns / job.seconds,
        "cpu_ms_per_turn": window.cpu_s / max(met.turns, 1) * 1000,
        "cpu_share": window.cpu_s / job.seconds,
        "client_cpu_share": window.client_cpu_s / job.seconds,
        "first_s": met.first_s,
        "all_turns": met.all_turns,
    }


class Clients:
    """Makes clients, whose connections it closes at the end."""

    def __init__(self, target: Target, met: Met, path: str = GENERATE, request: str = "") -> None:
        self._target, self._met = target, met
        self._path, self._request = path, bytes.fromhex(request)
        self._connections: list[Connection] = []

    async def __aenter__(self) -> "Clients":
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self._connections:
            connection.close()

    async def one(self) -> Turn:
        """What one client does for a turn, from its coming to its going."""
        if not self._target.token:
            return _Caller(await self._connected(self._path), self._request, self._met).turn
        create, converse = await self._connected(CREATE), await self._connected(CONVERSE)
        return _Newcomer(create, converse, self._met).turn

    async def _connected(self, path: str) -> Connection:
        connection = await connect(self._target, path)
        self._connections.append(connection)
        return connection


class _Caller:
    """A call a turn, with the same request; its texts are counted, not decoded."""

    def __init__(self, connection: Connection, request: bytes, met: Met) -> None:
        self._connection, self._request, self._met = connection, request, met
        self._first, self._received = 0.0, 0

    async def turn(self) -> None:
        begun, self._first, self._received = time.perf_counter(), 0.0, 0
        await self._connection.stream(self._got, self._request).done
        self._met.met(begun, self._first, self._received)

    def _got(self, body: bytes) -> None:
        if texts := body.count(_TEXT):
            self._received += texts * len(DELTA)
            self._first = self._first or time.perf_counter()


class _Newcomer:
    """A conversation and a stream a turn."""

    def __init__(self, create: Connection, converse: Connection, met: Met) -> None:
        self._create, self._converse, self._met = create, converse, met
        self._answer = b""

    async def turn(self) -> None:
        begun = time.perf_counter()
        await self._create.stream(self._made, b"").done
        made = CreateConversationResponse.FromString(self._answer)
        name = made.conversation.conversation_id
        talk = await Conversing.open(self._converse, name, self._met)
        await talk.answered()
        talk.leave()
        self._met.met(begun, talk.first, talk.received)

    def _made(self, body: bytes) -> None:
        self._answer = body
