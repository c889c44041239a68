"""Many subscribers, one of whom stops reading: what that costs the server and the others."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import grpc

from antiphon.context.v1.context_service_pb2 import PostMessageRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.message_pb2 import Part
from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.events.v1.stream_pb2 import Watch
from antiphon_client.status import error_of_rpc
from antiphon_server.runtime.rpc.duplex import WRITE_TIMEOUT_S
from tests.e2e.callers import channel_to
from tests.e2e.server import ServerProcess
from tests.fakes.proxy import Proxy
from tests.proofs.bench.figures import percentile
from tests.proofs.robustness.odd_server import COMMAND, PATIENCE

# The client reads no more but is alive, or nothing gets through to it at all.
How = Literal["unread", "silent"]
CHANNELS = 10
TEXT = "x" * 4096
GAP_S = 0.05
# A client that takes in no more than it is asked for.
SMALL_WINDOW = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65_536)]
OWN_CONNECTION = {"grpc.use_local_subchannel_pool": 1}


@dataclass(slots=True)
class Phase:
    """Some seconds of posts: the times from post to each delivery, and the server's memory."""

    delays_s: list[float] = field(default_factory=list)
    memory_bytes: list[int] = field(default_factory=list)

    def delay_ms(self, share: float) -> float:
        """The delay within which ``share`` of the deliveries came."""
        return 1000 * percentile(self.delays_s, 100 * share)


@dataclass(slots=True)
class Crowd:
    """What came of it. ``ended_with`` is what the stalled one read at last."""

    subscribers: int
    before: Phase
    during: Phase
    grown_bytes: int = 0
    ended_with: str = ""
    defects: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """All of it in a line."""
        times = "; ".join(
            f"{name} p50 {phase.delay_ms(0.5):.0f} p99 {phase.delay_ms(0.99):.0f} ms"
            for name, phase in (("without", self.before), ("with", self.during))
        )
        return (
            f"stalled: {self.subscribers} subscribers, {times}; "
            f"memory {self.grown_bytes / 2**20:+.1f} MB; "
            f"ended with {self.ended_with or 'nothing'}"
        )


class _Scene:
    """The conversation that all follow, and the delays of what is posted to it."""

    def __init__(self, server: ServerProcess, conversation: str, token: str) -> None:
        self._server = server
        self._conversation = conversation
        self._metadata = (("authorization", f"Bearer {token}"),)
        self._posted: dict[str, float] = {}
        self.phase = Phase()

    def stream(self, channel: grpc.aio.Channel) -> AsyncIterator[pb.FollowResponse]:
        """Follow from now on."""
        watch = Watch(watch_id="w", scope=f"conversations/{self._conversation}")
        call = EventServiceStub(channel).Follow(
            pb.FollowRequest(watches=[watch]), metadata=self._metadata
        )
        return aiter(call)

    async def subscribe(self, channel: grpc.aio.Channel, ready: asyncio.Semaphore) -> None:
        """Follow, and note how late everything came."""
        async for frame in self.stream(channel):
            if frame.HasField("created"):
                ready.release()
            now = time.monotonic()
            for event in frame.batch.events:
                text = event.message_posted.message.parts[0].text
                self.phase.delays_s.append(now - self._posted[text[:8]])

    async def post(self, seconds: float) -> Phase:
        """Post at a fixed rate; returns what was measured meanwhile."""
        self.phase = phase = Phase()
        async with channel_to(self._server) as channel:
            context = ContextServiceStub(channel)
            for _ in range(int(seconds / GAP_S)):
                key = f"{len(self._posted):08}"
                request = PostMessageRequest(
                    conversation_id=self._conversation, parts=[Part(text=key + TEXT)]
                )
                self._posted[key] = time.monotonic()
                await context.PostMessage(request, metadata=self._metadata, timeout=10)
                phase.memory_bytes.append(self._server.resident_bytes)
                await asyncio.sleep(GAP_S)
        await asyncio.sleep(1.0)
        return phase


@asynccontextmanager
async def _crowd(scene: _Scene, server: ServerProcess, count: int) -> AsyncIterator[None]:
    """So many subscribers, reading, for the block's time."""
    ready = asyncio.Semaphore(0)
    async with AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(
                channel_to(server, **{"grpc.use_local_subchannel_pool": 1})
            )
            for _ in range(CHANNELS)
        ]
        tasks = [
            asyncio.create_task(scene.subscribe(channels[at % CHANNELS], ready))
            for at in range(count)
        ]
        for _ in tasks:
            await ready.acquire()
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


async def stall_one(
    home: Path,
    how: How,
    *,
    subscribers: int = 100,
    seconds: float = 5.0,
    patience_s: float = WRITE_TIMEOUT_S,
) -> Crowd:
    """Measure without the stalled one, then with it, then wait until it is given up."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            ServerProcess(home, command=COMMAND, variables={PATIENCE: str(patience_s)})
        )
        client = await stack.enter_async_context(server.client())
        conversation = (await client.create_conversation()).conversation_id
        scene = _Scene(server, conversation, await client.tokens.get())
        await stack.enter_async_context(_crowd(scene, server, subscribers - 1))
        await scene.post(seconds / 2)  # warm-up
        crowd = Crowd(subscribers, await scene.post(seconds), Phase())
        proxy = await stack.enter_async_context(Proxy(server.port))
        channel = await stack.enter_async_context(
            grpc.aio.insecure_channel(proxy.address, SMALL_WINDOW)
        )
        stalled = scene.stream(channel)
        await anext(stalled)
        if how == "silent":
            proxy.stall("down")
        crowd.during = await scene.post(seconds)
        tail = len(crowd.during.memory_bytes) // 4
        memory = crowd.during.memory_bytes
        crowd.grown_bytes = max(memory[-tail:]) - max(crowd.before.memory_bytes[-tail:])
        await asyncio.sleep(patience_s + 3.0)
        await _read_the_end(crowd, stalled, proxy)
        crowd.defects = server.defects
    return crowd


async def _read_the_end(
    crowd: Crowd, stalled: AsyncIterator[pb.FollowResponse], proxy: Proxy
) -> None:
    """Read what the stalled one is told: it waits behind all that was not read."""
    proxy.flow()
    try:
        async with asyncio.timeout(5):
            async for _ in stalled:
                pass
    except TimeoutError:
        return
    except grpc.aio.AioRpcError as error:
        crowd.ended_with = error_of_rpc(error).reason or error.code().name
