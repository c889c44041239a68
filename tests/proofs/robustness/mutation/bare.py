"""A reader without the client's checks: what the server sends is what is noted."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import grpc

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon.events.v1.stream_pb2 import START_POSITION_EARLIEST, CloseReason, Watch, WatchEnded
from antiphon_client import Client
from tests.proofs.robustness.history import Reader

if TYPE_CHECKING:
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub

PAUSE_S = 0.02
DRAINING = CloseReason.Value("CLOSE_REASON_DRAINING")


class BareReader:
    """Follows a conversation from its beginning, and comes back with the last cursor.

    It leaves after ``batches`` batches, if that is given. ``ended`` is how the server
    ended the watch for good.
    """

    def __init__(
        self, client: Client, conversation_id: str, reader: Reader, *, batches: int = 0
    ) -> None:
        self.cursor = ""
        self.ended: WatchEnded | None = None
        self._client = client
        self._scope = f"conversations/{conversation_id}"
        self._reader = reader
        self._batches = batches

    async def run(self) -> None:
        """Read until cancelled, or until the watch was ended."""
        stub = EventServiceStub(self._client.channel)
        while self.ended is None:
            with contextlib.suppress(grpc.aio.AioRpcError):
                await self._stream(stub)
            await asyncio.sleep(PAUSE_S)

    @property
    def close_reason(self) -> str:
        """Why the server ended the watch, in a word; empty while it goes on."""
        if self.ended is None:
            return ""
        return CloseReason.Name(self.ended.reason).removeprefix("CLOSE_REASON_")

    async def _stream(self, stub: "EventServiceAsyncStub") -> None:
        watch = Watch(
            watch_id="w", scope=self._scope, cursor=self.cursor, start=START_POSITION_EARLIEST
        )
        metadata = (("authorization", f"Bearer {await self._client.tokens.get()}"),)
        call = stub.Follow(pb.FollowRequest(watches=[watch]), metadata=metadata)
        try:
            await self._read(aiter(call))
        finally:
            call.cancel()

    async def _read(self, call: AsyncIterator[pb.FollowResponse]) -> None:
        left = self._batches
        async for frame in call:
            if frame.HasField("batch"):
                for event in frame.batch.events:
                    self._reader.note(event)
                self.cursor, left = frame.batch.cursor, left - 1
                if not left:
                    return
            elif frame.HasField("ended") and frame.ended.reason != DRAINING:
                self.ended = frame.ended
                return
