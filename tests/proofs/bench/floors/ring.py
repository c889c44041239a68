"""The bare trial of fan-out: one shared ring, serialised once, 50 ms between two writes."""

import asyncio
import time
from typing import Any

import grpc

from antiphon.context.v1.message_pb2 import Message
from antiphon.events.v1 import event_pb2, stream_pb2
from antiphon.events.v1 import event_service_pb2 as pb
from tests.proofs.bench.floors.bare import add_methods

PACE_S = 0.05
MAX_BATCH = 512
MAX_CACHED = 64
_EVENT = b"\x12"  # EventBatch.events = 2, message


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


class _Ring:
    """All scopes are one; the last offset is the ring's length."""

    def __init__(self, prefilled: int) -> None:
        self._ring: list[bytes] = []
        self._news = asyncio.Event()
        self._batches: dict[tuple[int, int], bytes] = {}
        message = Message(message_id="msg_0123456789abcdef", author="users/bench")
        message.parts.add(text="word " * 8)
        for _ in range(prefilled):
            self._add(event_pb2.Event(message_posted=event_pb2.MessagePosted(message=message)))

    def _add(self, event: event_pb2.Event) -> None:
        event.first_offset = event.last_offset = len(self._ring) + 1
        body = event.SerializeToString()
        self._ring.append(_EVENT + _varint(len(body)) + body)

    async def append(self, request: pb.AppendRequest, context: Any) -> pb.AppendResponse:
        first = len(self._ring) + 1
        for event in request.events:
            self._add(event)
        self._news.set()
        self._news = asyncio.Event()
        return pb.AppendResponse(first_offset=first, last_offset=len(self._ring))

    async def subscribe(self, requests: Any, context: Any) -> None:
        watch = (await context.read()).create
        earliest = watch.start == stream_pb2.START_POSITION_EARLIEST
        position, written = 0 if earliest else len(self._ring), 0.0
        created = stream_pb2.WatchCreated(watch_id=watch.watch_id)
        await context.write(pb.SubscribeResponse(created=created).SerializeToString())
        while True:
            if position == len(self._ring):
                await self._news.wait()
                await asyncio.sleep(max(written + PACE_S - time.monotonic(), 0))
            end = min(len(self._ring), position + MAX_BATCH)
            await context.write(self._batch(position, end))
            position, written = end, time.monotonic()

    def _batch(self, start: int, end: int) -> bytes:
        found = self._batches.get((start, end))
        if found is None:
            if len(self._batches) >= MAX_CACHED:
                self._batches.clear()
            cursor = f"{0:020x}{end:x}".encode()
            body = b"".join([b"\x0a\x01w", *self._ring[start:end], b"\x1a", _varint(len(cursor))])
            body += cursor
            found = self._batches[start, end] = b"\x0a" + _varint(len(body)) + body
        return found


def add(server: grpc.aio.Server, prefilled: str) -> None:
    """Serve EventService.Append and Subscribe, with ``prefilled`` events in the ring."""
    ring = _Ring(int(prefilled or 0))
    append: Any = grpc.unary_unary_rpc_method_handler(
        ring.append, pb.AppendRequest.FromString, pb.AppendResponse.SerializeToString
    )
    subscribe: Any = grpc.stream_stream_rpc_method_handler(
        ring.subscribe, pb.SubscribeRequest.FromString
    )
    add_methods(server, "antiphon.events.v1.EventService", Append=append, Subscribe=subscribe)
