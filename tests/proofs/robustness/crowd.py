"""Readers beside others who do not read: the good ones' delays, the server's memory, who is let go.

500 beside 500 are measured in turn, in one run, because machines are shared: each round gives a
pair of 99th percentiles, and their ratio's median over the rounds is the figure.
"""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from antiphon.context.v1.context_service_pb2 import PostMessageRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.message_pb2 import Part
from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1.stream_pb2 import Watch
from antiphon_client.status import error_of_rpc
from tests.e2e.callers import channel_to
from tests.e2e.server import ONE_FOR_MANY, ServerProcess
from tests.fakes.proxy import Proxy
from tests.proofs.bench.figures import percentile
from tests.proofs.bench.loads.client import Target
from tests.proofs.bench.loads.http2 import connect
from tests.proofs.robustness.odd_server import COMMAND, PATIENCE
from tests.proofs.robustness.stage import EXIT_S

FOLLOW = "/antiphon.events.v1.EventService/Follow"
CHANNELS = 10
KEY = b"key:"
TEXT = "x" * 4096
GAP_S, SHORT_GAP_S = 0.25, 0.05
STALLING_S, SETTLING_S, OPEN_S = 5.0, 3.0, 60.0
STALLED_S = 2.0
"""By then so much waits for one that the server can write no more."""
MOST_GROWN_BYTES, MOST_RATIO = 100 << 20, 1.1
# A client that takes in no more than it is asked for, on a connection of its own.
SMALL_WINDOW = [
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 65_536),
    ("grpc.use_local_subchannel_pool", 1),
]
Metadata = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Phase:
    """Some seconds of posts: the times from post to each delivery, and the server's memory."""

    delays_ms: list[float] = field(default_factory=list)
    memory_bytes: list[int] = field(default_factory=list)

    def delay_ms(self, percent: float) -> float:
        """The delay within which so many of the deliveries came."""
        return percentile(self.delays_ms, percent)

    @property
    def held_bytes(self) -> int:
        """The most memory in its last quarter."""
        return max(self.memory_bytes[-(len(self.memory_bytes) // 4) :])


@dataclass(slots=True)
class Stalled:
    """What came of one who stops reading, in rounds without and with them.

    ``ended_with`` is what the last of them read at last.
    """

    rounds: list[tuple[Phase, Phase]] = field(default_factory=list)
    ended_with: str = ""
    defects: list[str] = field(default_factory=list)

    @property
    def grown_bytes(self) -> int:
        """What they cost, from the first round on."""
        return self.rounds[-1][1].held_bytes - self.rounds[0][0].held_bytes

    def more_ms(self, percent: float) -> float:
        """By how much a percentile of the others' delays is more than three times what it was.

        In the middle of the rounds: what else a machine does befalls one of them.
        """
        return statistics.median(
            beside.delay_ms(percent) - 3 * without.delay_ms(percent)
            for without, beside in self.rounds
        )

    @property
    def line(self) -> str:
        """All of it in a line."""
        delays = "; ".join(
            f"p50 {without.delay_ms(50):.1f} -> {beside.delay_ms(50):.1f} ms, "
            f"p90 {without.delay_ms(90):.1f} -> {beside.delay_ms(90):.1f} ms"
            for without, beside in self.rounds
        )
        return f"one stalls: {delays}; {self.grown_bytes / 2**20:+.1f} MB; {self.ended_with}"


@dataclass(slots=True)
class Pair:
    """One round: the good ones' delays (ms) without and with the stalled ones."""

    without: list[float]
    beside: list[float]

    @property
    def ratio(self) -> float:
        """How much worse the 99th percentile is."""
        return percentile(self.beside, 99) / percentile(self.without, 99)


@dataclass(slots=True)
class Crowd:
    """What came of it."""

    count: int
    pairs: list[Pair] = field(default_factory=list)
    alone_bytes: int = 0
    crowded_bytes: int = 0
    exit_s: float = 0.0
    given_up: int = 0
    """Of the stalled ones, those that the server had ended, so that they cost it nothing."""
    exit_code: int = 0
    defects: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return statistics.median(pair.ratio for pair in self.pairs)

    @property
    def grown_bytes(self) -> int:
        """What the stalled ones cost."""
        return self.crowded_bytes - self.alone_bytes

    @property
    def wrong(self) -> list[str]:
        """What broke a promise."""
        found = list(self.defects)
        if self.given_up:
            found.append(f"{self.given_up} stalled readers were given up too early")
        if self.exit_code or self.exit_s > EXIT_S:
            found.append(f"the server ended with {self.exit_code} after {self.exit_s:.1f} s")
        if self.grown_bytes > MOST_GROWN_BYTES:
            found.append(f"memory grew by {self.grown_bytes >> 20} MB")
        if self.ratio > MOST_RATIO:
            found.append(f"the 99th percentile is {self.ratio:.2f} times what it was")
        return found

    def as_json(self) -> dict[str, Any]:
        """All of it for programs."""
        return {
            "name": "crowd",
            "count": self.count,
            "without_p99_ms": [percentile(pair.without, 99) for pair in self.pairs],
            "beside_p99_ms": [percentile(pair.beside, 99) for pair in self.pairs],
            "ratio": self.ratio,
            "grown_bytes": self.grown_bytes,
            "exit_s": self.exit_s,
            "violations": self.wrong,
        }

    @property
    def line(self) -> str:
        """All of it in a line."""
        without = [delay for pair in self.pairs for delay in pair.without]
        beside = [delay for pair in self.pairs for delay in pair.beside]
        grown = f"{self.grown_bytes / 2**20:+.1f} MB"
        ratios = ", ".join(f"{pair.ratio:.2f}" for pair in self.pairs)
        return (
            f"crowd: {self.count} readers, {self.count} stalled beside them: "
            f"p99 {percentile(without, 99):.0f} ms without, {percentile(beside, 99):.0f} ms with; "
            f"ratio by round {ratios}, median {self.ratio:.2f}; memory {grown}; "
            f"SIGTERM with all of them open: ended after {self.exit_s:.1f} s"
        )


class _Readers:
    """The good ones: they read all the time; what they note is how late everything came."""

    def __init__(self, server: ServerProcess, conversation_id: str, token: str, count: int) -> None:
        self.server, self._count = server, count
        self.conversation_id = conversation_id
        self.token = token
        self.metadata: Metadata = (("authorization", f"Bearer {token}"),)
        self.request = pb.FollowRequest(
            watches=[Watch(watch_id="w", scope=f"conversations/{conversation_id}")]
        ).SerializeToString()
        self._phase = Phase()
        self._posted: dict[bytes, float] = {}
        self._due: Counter[bytes] = Counter()
        """How many have not got each post of this phase."""

    def got(self, frame: bytes, ready: asyncio.Semaphore) -> None:
        """Note a frame; it stays bytes, which costs the machine less than the server's part."""
        now, at = time.monotonic(), frame.find(KEY)
        if at < 0:
            ready.release()
        while at >= 0:
            key = frame[at : at + 12]
            if self._due[key] > 0:  # else it is of a phase that is over
                self._due[key] -= 1
                self._phase.delays_ms.append(1000 * (now - self._posted[key]))
            at = frame.find(KEY, at + 12)

    @property
    def newest(self) -> bytes:
        """The key of the newest post."""
        return next(reversed(self._posted))

    async def measured(self, seconds: float, gap_s: float = GAP_S) -> Phase:
        """Post for so long, each time after a gap; returns what was measured meanwhile.

        What has not come by the end counts as if it came then.
        """
        self._phase = phase = Phase()
        self._due.clear()
        async with channel_to(self.server) as channel:
            context = ContextServiceStub(channel)
            for _ in range(int(seconds / gap_s)):
                key = f"{KEY.decode()}{len(self._posted):08}"
                request = PostMessageRequest(
                    conversation_id=self.conversation_id, parts=[Part(text=key + TEXT)]
                )
                self._posted[key.encode()] = time.monotonic()
                self._due[key.encode()] = self._count
                await context.PostMessage(request, metadata=self.metadata, timeout=10)
                phase.memory_bytes.append(self.server.resident_bytes)
                await asyncio.sleep(gap_s)
        await asyncio.sleep(1.0)
        now = time.monotonic()
        for missing, many in self._due.items():
            phase.delays_ms += [1000 * (now - self._posted[missing])] * many
        return phase


@asynccontextmanager
async def _reading(server: ServerProcess, count: int) -> AsyncIterator[_Readers]:
    """So many who read, by a client that costs the machine little."""
    async with server.client() as client:
        conversation = (await client.create_conversation()).conversation_id
        readers = _Readers(server, conversation, await client.tokens.get(), count)
    target = Target(server.address, server.pid, readers.token)
    connections = [await connect(target, FOLLOW) for _ in range(CHANNELS)]
    try:
        ready = asyncio.Semaphore(0)
        for at in range(count):
            stream = connections[at % CHANNELS].stream(
                lambda frame: readers.got(frame, ready), readers.request
            )
            stream.done.add_done_callback(_heard)
        async with asyncio.timeout(OPEN_S):
            for _ in range(count):
                await ready.acquire()
        yield readers
    finally:
        for connection in connections:
            connection.close()


def _heard(done: "asyncio.Future[None]") -> None:
    """The server ends with all of them open."""
    if not done.cancelled():
        done.exception()


@asynccontextmanager
async def _stalled(readers: _Readers, count: int) -> AsyncIterator[list[Any]]:
    """So many who follow and do not read: one half is alive, of the other nothing is heard.

    Gives the calls of those that are alive.
    """
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(Proxy(readers.server.port))
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(address, SMALL_WINDOW))
            for address in [readers.server.address, proxy.address] * (CHANNELS // 2)
        ]
        calls: list[Any] = []
        for at in range(count):
            follow: Any = channels[at % CHANNELS].unary_stream(FOLLOW)
            calls.append(follow(readers.request, metadata=readers.metadata))
            await calls[-1].read()
        proxy.stall("down")
        try:
            yield [call for at, call in enumerate(calls) if at % 2 == 0]
        finally:
            for call in calls:
                call.cancel()


async def _let_go(readers: _Readers, alive: list[Any]) -> int:
    """Have those that are alive read all: how many were not served to the newest post."""

    async def read(call: Any) -> bool:
        while (frame := await call.read()) is not grpc.aio.EOF:
            if readers.newest in frame:
                return True
        return False

    async with asyncio.timeout(OPEN_S):
        ended = await asyncio.gather(*(read(call) for call in alive), return_exceptions=True)
    return sum(came is not True for came in ended)


async def crowd_of(home: Path, count: int, rounds: int, seconds: float) -> Crowd:
    """Measure in turn, ``seconds`` each; in the end tell the server to stop, with all of them."""
    crowd = Crowd(count)
    async with ServerProcess(home, variables=ONE_FOR_MANY) as server:
        async with _reading(server, count) as readers:
            crowd.alone_bytes = max((await readers.measured(SETTLING_S)).memory_bytes)
            for left in reversed(range(rounds)):
                await _round(crowd, readers, seconds, left)
        crowd.defects = [f"log: {line}" for line in server.defects]
    return crowd


async def _round(crowd: Crowd, readers: _Readers, seconds: float, left: int) -> None:
    """Without and with, with and without, in turn; the last round is with them at last."""

    async def without() -> list[float]:
        await readers.measured(SETTLING_S)
        return (await readers.measured(seconds)).delays_ms

    alone = await without() if left % 2 == 0 else []
    async with _stalled(readers, crowd.count) as alive:
        await readers.measured(STALLING_S)
        beside = await readers.measured(seconds)
        crowd.crowded_bytes = max(crowd.crowded_bytes, *beside.memory_bytes)
        if left:
            crowd.given_up += await _let_go(readers, alive)
        else:
            began = time.monotonic()
            crowd.exit_code = await readers.server.terminate()
            crowd.exit_s = time.monotonic() - began
    crowd.pairs.append(Pair(alone or await without(), beside.delays_ms))


async def stall_one(
    home: Path, count: int, rounds: int, seconds: float, patience_s: float
) -> Stalled:
    """Measure so many without one who stops reading and with one, in turn; let the last one go."""
    came = Stalled()
    variables = {PATIENCE: str(patience_s), **ONE_FOR_MANY}
    server = ServerProcess(home, command=COMMAND, variables=variables)
    async with server, _reading(server, count) as readers:
        await readers.measured(seconds, SHORT_GAP_S)  # warm-up
        for left in reversed(range(rounds)):
            before = await readers.measured(seconds, SHORT_GAP_S)
            async with _stalled(readers, 1) as [call]:
                await readers.measured(STALLED_S, SHORT_GAP_S)
                came.rounds.append((before, await readers.measured(seconds, SHORT_GAP_S)))
                if not left:
                    await asyncio.sleep(patience_s + 3.0)
                    came.ended_with = await _last_words(call)
        came.defects = server.defects
    return came


async def _last_words(call: Any) -> str:
    """Read what a stalled one is told: it waits behind all that was not read."""
    try:
        async with asyncio.timeout(5):
            while await call.read() is not grpc.aio.EOF:
                pass
    except TimeoutError:
        return "nothing"
    except grpc.aio.AioRpcError as error:
        return error_of_rpc(error).reason or error.code().name
    return "no error"
