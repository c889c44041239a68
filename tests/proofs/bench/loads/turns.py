"""Lean clients that post, each after its answer has ended: over Converse, or the bare relay."""

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1.dispatcher_service_pb2 import (
    ConverseRequest,
    ConverseResponse,
    DispatchRequest,
)
from antiphon.events.v1.stream_pb2 import Watch
from antiphon.integration.v1.integration_service_pb2 import GenerateResponse
from tests.proofs.bench.loads.client import Target, Window
from tests.proofs.bench.loads.http2 import Connection, Failed, connect

DELTA = "word "
GENERATE = "/antiphon.integration.v1.IntegrationService/Generate"
CONVERSE = "/antiphon.dispatcher.v1.DispatcherService/Converse"
OPEN_TIMEOUT_S = 10.0


class Incomplete(Exception):
    """A turn ended without all of its text."""


@dataclass(frozen=True, slots=True)
class Job:
    """``clients`` at once for ``seconds``. Without a token the target is the relay."""

    target: dict[str, Any]
    clients: int
    seconds: float
    deltas: int


@dataclass(slots=True)
class Tally:
    """What clients got in the window, of turns that have ``deltas`` each."""

    window: Window
    deltas: int
    turns: int = 0
    received: int = 0
    frames: int = 0
    took_s: list[float] = field(default_factory=list)

    def text(self, text: str) -> None:
        """Some text came."""
        if self.window.counts(time.perf_counter()):
            self.received += len(text)

    def ended(self, begun: float, received: int) -> None:
        """A turn is over. Raises Incomplete."""
        if received != self.deltas * len(DELTA):
            raise Incomplete(f"{received} bytes of {self.deltas} deltas")
        now = time.perf_counter()
        if self.window.counts(now):
            self.turns += 1
            self.took_s.append(now - begun)


async def run(job: Job) -> dict[str, Any]:
    """Returns turns a second, how long each took, and what server and client used for it."""
    target = Target(**job.target)
    tally = Tally(Window(target, job.seconds), job.deltas)
    clients = await _open(target, job.clients, tally)
    try:
        await tally.window.run([client.turn for client in clients])
    finally:
        for client in clients:
            client.close()
    window, deltas = tally.window, tally.received / len(DELTA)
    return {
        "turns_per_s": tally.turns / job.seconds,
        "took_s": tally.took_s,
        "cpu_ms_per_turn": window.cpu_s / max(tally.turns, 1) * 1000,
        "cpu_s_per_1000": window.cpu_s / max(deltas, 1) * 1000,
        "frames_per_turn": tally.frames / max(tally.turns, 1),
        "cpu_share": window.cpu_s / job.seconds,
        "client_cpu_share": window.client_cpu_s / job.seconds,
    }


async def _open(target: Target, count: int, tally: Tally) -> "list[_Relayed | Conversing]":
    if not target.token:
        return [_Relayed(await connect(target, GENERATE), tally) for _ in range(count)]
    async with target.channel() as channel:
        names = [await target.conversation(channel) for _ in range(count)]
    return [await Conversing.open(await connect(target, CONVERSE), n, tally) for n in names]


class _Relayed:
    """A call a turn: its texts are the turn's, its end is the turn's."""

    def __init__(self, connection: Connection, tally: Tally) -> None:
        self._connection = connection
        self._tally = tally
        self._received = 0

    async def turn(self) -> None:
        begun, self._received = time.perf_counter(), 0
        await self._connection.stream(self._got, b"").done
        self._tally.ended(begun, self._received)

    def close(self) -> None:
        self._connection.close()

    def _got(self, body: bytes) -> None:
        text = GenerateResponse.FromString(body).delta.text
        self._received += len(text)
        self._tally.frames += self._tally.window.counts(time.perf_counter())
        self._tally.text(text)


class Conversing:
    """One stream, one conversation: ``received`` bytes of its turn, of which the ``first`` then."""

    def __init__(self, connection: Connection, conversation: str, tally: Tally) -> None:
        self._connection = connection
        self._conversation = conversation
        self._tally = tally
        self._turn_id = ""
        self.received, self.first = 0, 0.0
        self._news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stream = connection.stream(self._got)
        self._stream.done.add_done_callback(self._ended)

    @classmethod
    async def open(cls, connection: Connection, name: str, tally: Tally) -> "Conversing":
        """Watch the conversation."""
        client = cls(connection, name, tally)
        watch = Watch(watch_id="w", scope=f"conversations/{name}")
        client._stream.send(ConverseRequest(subscribe=watch).SerializeToString())
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            await client._news
        return client

    async def turn(self) -> None:
        """A turn that counts."""
        begun = time.perf_counter()
        await self.answered()
        self._tally.ended(begun, self.received)

    async def answered(self, said: str = "say it") -> None:
        """Post, and wait for the end."""
        self._turn_id = f"turn_{secrets.token_hex(8)}"
        post = DispatchRequest(conversation_id=self._conversation, turn_id=self._turn_id)
        post.parts.append(Part(text=said))
        self.received, self.first = 0, 0.0
        self._news = asyncio.get_running_loop().create_future()
        self._stream.send(ConverseRequest(post=post).SerializeToString())
        await self._news

    def leave(self) -> None:
        """End the stream; the connection stays."""
        self._connection.cancel(self._stream)

    def close(self) -> None:
        self._connection.close()

    def _got(self, body: bytes) -> None:
        frame = ConverseResponse.FromString(body)
        self._tally.frames += self._tally.window.counts(time.perf_counter())
        if frame.HasField("created"):
            self._news.set_result(None)
        elif frame.HasField("error") or frame.HasField("ended"):
            self._fail(Failed(str(frame)))
        for event in frame.batch.events:
            if event.turn_id != self._turn_id:
                continue
            if event.HasField("text_delta_appended"):
                text = event.text_delta_appended.text
                self.received += len(text)
                self.first = self.first or time.perf_counter()
                self._tally.text(text)
            elif event.HasField("turn_finished") and not self._news.done():
                self._news.set_result(None)

    def _ended(self, done: "asyncio.Future[None]") -> None:
        self._fail((None if done.cancelled() else done.exception()) or Failed("the stream ended"))

    def _fail(self, error: BaseException) -> None:
        if not self._news.done():
            self._news.set_exception(error)
