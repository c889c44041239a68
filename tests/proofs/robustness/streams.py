"""Readers on raw streams: many watches on one Subscribe, and its twin, Follow with UpdateFollow.

They come, add and leave watches, ask for progress, and break off, at random; what they read
goes on by cursor.
"""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import grpc

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon_client import AntiphonError, Client
from antiphon_client.errors import NotFound, Unauthenticated
from antiphon_client.redial import is_resumable
from antiphon_client.status import error_of_rpc
from tests.proofs.robustness.stage import Stage
from tests.proofs.robustness.watching import RawFrame, Watching

SILENT_S = 28.0
ACTION_S = (0.05, 0.6)
Say = Callable[[pb.SubscribeRequest], Awaitable[None]]


class Frames(Protocol):
    """A call whose frames are read."""

    def read(self) -> Awaitable[object]:
        """The next frame, or EOF."""
        ...


class RawReader:
    """Reads the stage's conversations on one stream at a time, until cancelled."""

    def __init__(self, stage: Stage, name: str, client: Client) -> None:
        self._stage = stage
        self._client = client
        self._chance: random.Random = stage.chance(name)
        self._watchings = {
            f"{name}-{number}": Watching(
                f"{name}-{number}",
                scene.scope,
                scene.history.reader(f"{name}-{number}", lasts=True),
            )
            for number, scene in enumerate(stage.scenes)
        }

    async def subscribe(self) -> None:
        """By Subscribe."""
        while True:
            await self._one(self._subscription)

    async def follow(self) -> None:
        """By Follow, UpdateFollow and CancelFollow."""
        while True:
            await self._one(self._following)

    async def _one(self, stream: Callable[[], Awaitable[None]]) -> None:
        for watching in self._watchings.values():
            watching.new_stream()
        try:
            await stream()
        except grpc.aio.AioRpcError as rpc_error:
            self._judge(error_of_rpc(rpc_error))
        except AntiphonError as error:
            self._judge(error)
        except (TimeoutError, asyncio.InvalidStateError):
            pass  # silent for too long, or written to when it had ended
        await asyncio.sleep(self._chance.uniform(0.02, 0.2))

    def _judge(self, error: AntiphonError) -> None:
        """What a stream may end with, whatever happens; anything else is noted."""
        if isinstance(error, Unauthenticated):
            self._client.tokens.reject(self._token)
        elif not is_resumable(error):
            self._any.reader.faults.append(f"a stream ended with {error}")

    @property
    def _any(self) -> Watching:
        return next(iter(self._watchings.values()))

    async def _metadata(self) -> Sequence[tuple[str, str]]:
        self._token = await self._client.tokens.get()
        return (("authorization", f"Bearer {self._token}"),)

    async def _subscription(self) -> None:
        stub = EventServiceStub(self._client.channel)
        call = stub.Subscribe(metadata=await self._metadata(), timeout=120)

        async def say(request: pb.SubscribeRequest) -> None:
            await call.write(request)

        async with _cancelled_after(call), _beside(self._act(say), call):
            await self._read(call)

    async def _following(self) -> None:
        stub = EventServiceStub(self._client.channel)
        metadata, follow_id = await self._metadata(), uuid.uuid4().hex
        first = [it.request() for it in self._watchings.values()]
        request = pb.FollowRequest(follow_id=follow_id, watches=first)
        call = stub.Follow(request, metadata=metadata, timeout=120)

        async def say(request: pb.SubscribeRequest) -> None:
            update = pb.UpdateFollowRequest(follow_id=follow_id, actions=[request])
            try:
                await stub.UpdateFollow(update, metadata=metadata, timeout=3)
            except grpc.aio.AioRpcError as error:
                if not isinstance(error_of_rpc(error), NotFound):  # it has just ended
                    raise

        async with _cancelled_after(call), _beside(self._act(say), call):
            await self._read(call)

    async def _read(self, call: "Frames") -> None:
        while True:
            async with asyncio.timeout(SILENT_S):
                frame = await call.read()
            if not isinstance(frame, pb.SubscribeResponse | pb.FollowResponse):  # the end
                return
            self._take(frame)

    def _take(self, frame: RawFrame) -> None:
        kind = frame.WhichOneof("frame")
        if kind == "progress":
            for place in frame.progress.watches:
                self._watchings[place.watch_id].progressed(place.cursor)
        elif kind == "draining" or (kind == "ended" and not frame.ended.watch_id):
            return
        elif kind is not None:
            self._watchings[getattr(frame, kind).watch_id].take(frame)

    async def _act(self, say: Say) -> None:
        """Change one's mind again and again; in the end want all, and stay."""
        for _ in range(self._chance.randint(5, 40)):
            await say(self._next_action())
            await asyncio.sleep(self._chance.uniform(*ACTION_S))
        while self._stage.stopping.is_set():  # stay
            for watching in self._watchings.values():
                if not watching.asked:
                    await say(pb.SubscribeRequest(create=watching.request()))
            await asyncio.sleep(0.1)

    def _next_action(self) -> pb.SubscribeRequest:
        watching = self._chance.choice(list(self._watchings.values()))
        if not watching.asked:
            return pb.SubscribeRequest(create=watching.request())
        if watching.open and not self._stage.stopping.is_set() and self._chance.random() < 0.5:
            watching.leaving += 1
            request = pb.SubscribeRequest()
            request.cancel.watch_id = watching.watch_id
            return request
        progress = pb.SubscribeRequest()
        progress.progress.SetInParent()
        return progress


@asynccontextmanager
async def _cancelled_after(call: grpc.aio.Call) -> AsyncIterator[None]:
    try:
        yield
    finally:
        call.cancel()


@asynccontextmanager
async def _beside(acting: Awaitable[None], call: grpc.aio.Call) -> AsyncIterator[None]:
    """Act for the block's time; when that is over, the call is, too."""

    async def act() -> None:
        try:
            await acting
        finally:
            call.cancel()

    task = asyncio.create_task(act())
    try:
        yield
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if current is None or current.cancelling():
            raise
        # the call was broken off on purpose, or because acting failed
    finally:
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome
