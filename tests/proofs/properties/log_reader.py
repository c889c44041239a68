"""A client of the log that holds what it gets against the model."""

import asyncio
from collections.abc import Collection
from typing import Any

import grpc

from antiphon.events.v1 import event_pb2, stream_pb2
from antiphon.events.v1.event_service_pb2 import (
    GetHeadRequest,
    GetHeadResponse,
    SubscribeRequest,
    SubscribeResponse,
)
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.errors.wire import domain_error_of_status
from tests.proofs.properties.log_model import Log, Position
from tests.proofs.properties.log_node import LogNode


class Reader:
    """Follows one scope; ``position`` is what it has seen or been told to be done with."""

    def __init__(self, node: LogNode, scope: str, log: Log, kinds: Collection[int] = ()) -> None:
        self.scope = scope
        self.log = log
        self.position = 0
        self.begun = 0
        self.live = False
        self.given: list[Position] = []
        self._kinds = kinds
        self._got: set[int] = set()
        self._node = node
        self._call: Any = None

    async def begin(self, start: Position | None, *, earliest: bool, size: int) -> None:
        """Open the stream; what it says must fit the model."""
        self._call = self._node.stub.Subscribe()
        watch = stream_pb2.Watch(
            watch_id="w",
            scope=self.scope,
            cursor=start.cursor if start else "",
            start=stream_pb2.StartPosition.ValueType(2 if earliest else 1),
            kinds=[event_pb2.EventKind.ValueType(kind) for kind in self._kinds],
            max_batch_events=size,
        )
        await self._call.write(SubscribeRequest(create=watch))
        frame = await self._read()
        if frame.HasField("ended"):
            self._lost(frame.ended, start.epoch if start else None, start.offset if start else 0)
            return
        assert frame.HasField("created")
        if start:
            assert (start.epoch, start.offset <= self.log.last) == (self.log.epoch, True)
            assert frame.created.cursor == start.cursor
        self.position = start.offset if start else self.log.earliest - 1
        if not start and not earliest:
            self.position = self.log.last
        assert frame.created.head_cursor == (await self._head()).cursor
        self.begun, self.live = self.position, True

    async def catch_up(self) -> None:
        """Read until the stream says that it has told everything; it must have."""
        while self.live:
            await self._call.write(SubscribeRequest(progress=stream_pb2.RequestProgress()))
            frame = await self._read()
            while self.live and not frame.HasField("progress"):
                self._take(frame)
                frame = await self._read() if self.live else frame
            if not self.live:
                return
            (watch,) = frame.progress.watches
            if watch.cursor == (await self._head()).cursor:
                self._complete()
                return

    async def take_one(self) -> None:
        """Read one frame, if there is something that it must come with."""
        if self.live and not self._kinds and self.position < self.log.last:
            self._take(await self._read())

    async def leave(self) -> None:
        """Be cut off."""
        self.live = False
        if self._call is not None:
            self._call.cancel()
            with_status = await self._call.code()
            assert with_status in (grpc.StatusCode.CANCELLED, grpc.StatusCode.OK), with_status

    def _take(self, frame: SubscribeResponse) -> None:
        if frame.HasField("ended"):
            self._lost(frame.ended, self.log.epoch, self.position)
            return
        if frame.HasField("progress"):
            return
        assert frame.HasField("batch"), frame
        for event in frame.batch.events:
            assert event.scope == self.scope
            if self._kinds:
                assert self.position < event.last_offset <= self.log.last
                self._got.add(event.last_offset)
                self.position = event.last_offset
            else:
                self.position = self.log.check(event, self.position)
        place = Position(self.scope, self.log.epoch, self.position, frame.batch.cursor)
        if not self._kinds:
            self.given.append(place)

    def _complete(self) -> None:
        if not self._kinds:
            assert self.position == self.log.last, f"{self.position} of {self.log.last}"
        wanted = {at for at in self.log.left(self.begun) if self._is_wanted(at)}
        assert not self._kinds or wanted <= self._got, wanted - self._got
        assert all(self._is_wanted(at) for at in self._got)

    def _is_wanted(self, at: int) -> bool:
        said = self.log.said[at - 1]
        return not self._kinds or (16 if said.delta else 10) in self._kinds

    def _lost(self, ended: stream_pb2.WatchEnded, epoch: int | None, offset: int) -> None:
        """Hold that the position is gone indeed, and that the way on is named."""
        self.live = False
        assert ended.reason == stream_pb2.CLOSE_REASON_HISTORY_LOST, ended
        error = domain_error_of_status(ended.error)
        assert error.metadata["earliest_offset"] == str(self.log.earliest)
        if epoch == self.log.epoch and offset <= self.log.last:
            assert error.reason is Reason.CURSOR_TRIMMED, error
            assert offset + 1 < self.log.earliest, f"{offset} is not gone: {self.log.earliest}"
        else:
            assert error.reason is Reason.EPOCH_CHANGED, error
        place = self.log.earliest - 1
        cursor = error.metadata["earliest_cursor"]
        self.given.append(Position(self.scope, self.log.epoch, place, cursor))

    async def _head(self) -> GetHeadResponse:
        return await self._node.stub.GetHead(GetHeadRequest(scope=self.scope))

    async def _read(self) -> SubscribeResponse:
        async with asyncio.timeout(10):
            frame = await self._call.read()
        assert isinstance(frame, SubscribeResponse), frame
        return frame
