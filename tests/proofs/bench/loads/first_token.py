"""First texts as a client on grpc.aio sees them: over Converse, or from the bare relay."""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import grpc

from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1.dispatcher_service_pb2 import ConverseRequest, DispatchRequest
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon.events.v1.stream_pb2 import Watch
from antiphon.integration.v1.integration_service_pb2 import GenerateRequest
from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceStub
from tests.proofs.bench.loads.client import Target, Window, channels


@dataclass(frozen=True, slots=True)
class Job:
    """``clients`` at once for ``seconds``. Without a token the target is the relay.

    With an ``owner``, the conversations' first turns are posted there: their lanes are its own.
    """

    target: dict[str, Any]
    clients: int
    seconds: float
    owner: dict[str, Any] | None = None


@dataclass(slots=True)
class _Tally:
    window: Window
    first_s: list[float] = field(default_factory=list)

    def first(self, begun: float) -> None:
        now = time.perf_counter()
        if self.window.counts(now):
            self.first_s.append(now - begun)


async def run(job: Job) -> dict[str, Any]:
    """Returns the seconds from each post to its first text."""
    target = Target(**job.target)
    tally = _Tally(Window(target, job.seconds))
    owner = Target(**job.owner) if job.owner else target
    async with channels(target, job.clients) as connections, channels(owner, 1) as (to_owner,):
        if not target.token:
            clients: list[Any] = [_Relayed(channel, tally) for channel in connections]
        else:
            clients = [
                await _Conversing.open(target, channel, tally, await _begun(owner, to_owner, tally))
                for channel in connections
            ]
        await tally.window.run([client.turn for client in clients])
    return {"first_s": tally.first_s}


async def _begun(owner: Target, channel: grpc.aio.Channel, tally: _Tally) -> str:
    """A conversation in which a turn is over."""
    conversation = await owner.conversation(channel)
    first = await _Conversing.open(owner, channel, tally, conversation)
    await first.turn()
    first.close()
    return conversation


class _Relayed:
    def __init__(self, channel: grpc.aio.Channel, tally: _Tally) -> None:
        self._generate = IntegrationServiceStub(channel).Generate
        self._tally = tally

    async def turn(self) -> None:
        begun, first = time.perf_counter(), True
        async for _ in self._generate(GenerateRequest()):
            if first:
                self._tally.first(begun)
            first = False


class _Conversing:
    """One long-lived stream, one conversation."""

    def __init__(self, call: Any, conversation: str, tally: _Tally) -> None:
        self._call = call
        self._conversation = conversation
        self._tally = tally

    @classmethod
    async def open(
        cls, target: Target, channel: grpc.aio.Channel, tally: _Tally, conversation: str
    ) -> "_Conversing":
        call = DispatcherServiceStub(channel).Converse(metadata=target.metadata)
        watch = Watch(watch_id="w", scope=f"conversations/{conversation}")
        await call.write(ConverseRequest(subscribe=watch))
        frame: Any = await call.read()
        if frame is grpc.aio.EOF or not frame.HasField("created"):
            raise RuntimeError(f"no watch: {frame}")
        return cls(call, conversation, tally)

    def close(self) -> None:
        self._call.cancel()

    async def turn(self) -> None:
        turn_id = f"turn_{secrets.token_hex(8)}"
        post = DispatchRequest(conversation_id=self._conversation, turn_id=turn_id)
        post.parts.append(Part(text="say it"))
        begun, first = time.perf_counter(), True
        await self._call.write(ConverseRequest(post=post))
        while True:
            frame = await self._call.read()
            if frame is grpc.aio.EOF or frame.HasField("error") or frame.HasField("ended"):
                raise RuntimeError(f"the stream failed: {frame}")
            for event in frame.batch.events:
                if event.turn_id != turn_id:
                    continue
                if first and event.HasField("text_delta_appended"):
                    self._tally.first(begun)
                    first = False
                elif event.HasField("turn_finished"):
                    return
