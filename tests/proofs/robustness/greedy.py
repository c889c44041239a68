"""One user who takes all they get: turns that go on, or streams of a conversation with such a turn.

``python -m tests.proofs.robustness.greedy``, with a job as JSON on stdin, prints a line when it has
asked for everything once: how much it has, and how much was refused. Then it goes on, and asks
again for what it has not, until its stdin ends; then it stops its turns.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from typing import Any

import grpc

from antiphon.context.v1.context_service_pb2 import CreateConversationRequest
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1.dispatcher_service_pb2 import (
    CancelTurnRequest,
    DispatchRequest,
    GetTurnRequest,
)
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon.events.v1 import event_service_pb2 as events
from antiphon.events.v1.event_pb2 import TURN_STATE_SUCCEEDED
from antiphon.events.v1.stream_pb2 import START_POSITION_LATEST, Watch
from antiphon_server.runtime.encoding.ids import new_id
from tests.e2e.refusals import reason_of
from tests.proofs.bench.loads.client import Target
from tests.proofs.bench.loads.http2 import Connection, Failed, Stream, connect

FOLLOW = "/antiphon.events.v1.EventService/Follow"
AT_ONCE = 10
STREAMS_A_CONNECTION = 90
AGAIN_S = 5.0
LOOK_S = 1.0
DEADLINE_S = 60.0
EXHAUSTED = "'grpc-status': '8'"
REFUSED = frozenset({"LIMIT_EXCEEDED", "OVERLOADED"})


@dataclass(frozen=True, slots=True)
class Job:
    """``turns`` in conversations of their own, each followed ``followers`` times."""

    addresses: Sequence[str]
    token: str
    turns: int
    followers: int


@dataclass(slots=True)
class Greedy:
    """What it has, and what became of what it asked for."""

    job: Job
    tried: Counter[str] = field(default_factory=Counter)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    running: int = 0
    following: int = 0
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def run(self) -> None:
        """Take, until cancelled."""
        async with asyncio.TaskGroup() as group:
            addresses = cycle(self.job.addresses)
            for _ in range(self.job.turns):
                group.create_task(self._talk(next(addresses)))

    def _note(self, came: str) -> None:
        """Count an answer; ``asked`` is set when everything was asked for once."""
        self.tried[came] += 1
        if self.tried.total() >= self.job.turns * (1 + self.job.followers):
            self.asked.set()

    async def _talk(self, address: str) -> None:
        metadata = (("authorization", f"Bearer {self.job.token}"),)
        async with Target(address, 0).channel() as channel:
            async with self._turn:
                made = await _patiently(
                    ContextServiceStub(channel).CreateConversation,
                    CreateConversationRequest(),
                    metadata,
                )
            conversation = made.conversation.conversation_id
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow_all(address, conversation))
                await self._go_on(DispatcherServiceStub(channel), conversation, metadata)

    async def _go_on(self, dispatcher: Any, conversation: str, metadata: Any) -> None:
        while True:
            turn_id = new_id("turn")
            request = DispatchRequest(
                conversation_id=conversation, turn_id=turn_id, parts=[Part(text="go on")]
            )
            look = GetTurnRequest(conversation_id=conversation, turn_id=turn_id)
            cancel = CancelTurnRequest(conversation_id=conversation, turn_id=turn_id)
            try:
                async with self._turn:
                    await dispatcher.Dispatch(request, metadata=metadata, timeout=DEADLINE_S)
                self._note("turn")
                self.running += 1
                await _until_ended(dispatcher, look, metadata)
                self.running -= 1
            except grpc.aio.AioRpcError as error:
                if reason_of(error) not in REFUSED:
                    raise
                self._note("turn refused")
                await asyncio.sleep(AGAIN_S)
            except asyncio.CancelledError:
                with contextlib.suppress(grpc.aio.AioRpcError):  # it ends by itself, later
                    await dispatcher.CancelTurn(cancel, metadata=metadata, timeout=DEADLINE_S)
                raise

    async def _follow_all(self, address: str, conversation: str) -> None:
        target = Target(address, 0, self.job.token)
        left = self.job.followers
        async with asyncio.TaskGroup() as group:
            while left > 0:
                connection = await connect(target, FOLLOW)
                for _ in range(min(left, STREAMS_A_CONNECTION)):
                    group.create_task(self._follow(connection, conversation))
                left -= STREAMS_A_CONNECTION

    async def _follow(self, connection: Connection, conversation: str) -> None:
        watch = Watch(
            watch_id="w",
            scope=f"conversations/{conversation}",
            start=START_POSITION_LATEST,
        )
        request = events.FollowRequest(watches=[watch]).SerializeToString()
        while True:
            async with self._turn:
                had, stream = await _opened(connection, request)
            self._note("stream" if had else "stream refused")
            self.following += had
            try:
                await stream.done
            except Failed as error:
                if EXHAUSTED not in str(error):
                    raise
            self.following -= had
            await asyncio.sleep(AGAIN_S)


async def _opened(connection: Connection, request: bytes) -> tuple[bool, Stream]:
    """A stream, and whether it was let in: then it says so."""
    heard: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def hear(had: bool) -> None:
        if not heard.done():
            heard.set_result(had)

    stream = connection.stream(lambda _: hear(True), request)
    stream.done.add_done_callback(lambda _: hear(False))
    stream.done.add_done_callback(_heard)
    return await heard, stream


def _heard(done: "asyncio.Future[None]") -> None:
    """At the end nobody looks how the streams ended."""
    if not done.cancelled():
        done.exception()


async def _until_ended(dispatcher: Any, look: GetTurnRequest, metadata: Any) -> None:
    while True:
        found = await _patiently(dispatcher.GetTurn, look, metadata)
        if found.turn.state >= TURN_STATE_SUCCEEDED:
            return
        await asyncio.sleep(AGAIN_S)


async def _patiently(method: Any, request: Any, metadata: Any) -> Any:
    """Until it is not refused, nor has waited for its share up to its deadline."""
    while True:
        began = time.monotonic()
        try:
            return await method(request, metadata=metadata, timeout=DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            if time.monotonic() - began < DEADLINE_S and reason_of(error) not in REFUSED:
                raise
            await asyncio.sleep(LOOK_S)


async def main() -> None:
    """Take until ended."""
    greedy = Greedy(Job(**json.loads(sys.stdin.readline())))
    taking = asyncio.ensure_future(greedy.run())
    asked = asyncio.ensure_future(greedy.asked.wait())
    await asyncio.wait([taking, asked], return_when=asyncio.FIRST_COMPLETED)
    if taking.done():
        taking.result()
    has = {"running": greedy.running, "following": greedy.following}
    print(json.dumps(has | dict(greedy.tried)), flush=True)
    ended = asyncio.ensure_future(asyncio.to_thread(sys.stdin.readline))
    await asyncio.wait([taking, ended], return_when=asyncio.FIRST_COMPLETED)
    taking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await taking


def job_line(job: Job) -> bytes:
    """As it is read."""
    return json.dumps(asdict(job)).encode() + b"\n"


if __name__ == "__main__":
    asyncio.run(main())
