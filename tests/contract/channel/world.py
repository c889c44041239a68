"""A server that does something different for every test, and who may call it."""

import asyncio
from typing import Any

import grpc
import pytest
from google.protobuf import wrappers_pb2

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon.events.v1 import stream_pb2
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId, current_principal
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import DomainError, Reason, not_found

SCOPE = "conversations/conv_00000001"
CANARY = "canary-in-an-exception"
USER = Principal("user", UserId("user_1"), SessionId("sess_1"))
SERVICE = Principal("service", UserId("dispatcher"), SessionId(""))
COUNT = "/antiphon.test.Counter/Count"
FOLLOW = pb.FollowRequest(watches=[stream_pb2.Watch(watch_id="w", scope=SCOPE)])
BIG = pb.FollowResponse(ended=stream_pb2.WatchEnded(watch_id="x" * 10_000))
Servicer: Any = stubs.EventServiceServicer  # its types ask for every method at once


class Events(Servicer):  # type: ignore[misc]
    """Does something different for every test; ``log`` says what happened."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()

    async def GetHead(self, request: pb.GetHeadRequest, context: Any) -> Any:
        sent = dict(context.invocation_metadata())
        if sent.get("x-bytes"):
            return pb.GetHeadResponse(cursor="bytes").SerializeToString()
        await context.send_initial_metadata((("x-first", "1"),))
        context.set_trailing_metadata((("x-last", "2"),))
        return pb.GetHeadResponse(
            cursor=sent.get("x-test", ""), earliest_cursor=current_principal().user_id
        )

    async def ReadEvents(self, request: pb.ReadEventsRequest, context: Any) -> Any:
        if request.cursor == "missing":
            raise not_found(request.scope)
        if request.cursor == "defect":
            raise ValueError(CANARY)
        if request.cursor == "large":
            return pb.ReadEventsResponse(cursor="x" * (3 << 20))
        self.begun.set()
        return await self._forever()

    async def Follow(self, request: pb.FollowRequest, context: Any) -> Any:
        """Written as a generator."""
        self.begun.set()
        if request.follow_id == "endless":
            try:
                while True:
                    yield BIG
                    self.log.append("sent")
            finally:
                self.ended.set()
        yield pb.FollowResponse(progress=stream_pb2.Progress())
        yield pb.FollowResponse(
            created=stream_pb2.WatchCreated(watch_id="bytes")
        ).SerializeToString()
        if request.follow_id == "fails":
            raise DomainError(Reason.LIMIT_EXCEEDED, limit="watches")
        if request.follow_id == "hangs":
            await self._forever()

    async def Subscribe(self, requests: Any, context: Any) -> None:
        """Written with read and write."""
        self.begun.set()
        try:
            while (message := await context.read()) is not grpc.aio.EOF:
                created = stream_pb2.WatchCreated(watch_id=message.create.watch_id)
                await context.write(pb.SubscribeResponse(created=created))
        except asyncio.CancelledError:
            self.log.append("cancelled")
            raise
        finally:
            self.ended.set()

    async def Append(self, request: pb.AppendRequest, context: Any) -> Any:
        return pb.AppendResponse(cursor=current_principal().actor)

    async def count(self, requests: Any, context: Any) -> wrappers_pb2.Int32Value:
        """Count a stream of requests."""
        self.begun.set()
        total = 0
        async for request in requests:
            if request.value < 0:
                raise not_found("number")
            total += request.value
        return wrappers_pb2.Int32Value(value=total)

    async def _forever(self) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.log.append("cancelled")
            raise
        finally:
            self.ended.set()


class Tokens:
    """Knows two tokens."""

    async def verify(self, token: str) -> Principal:
        known = {"user": USER, "service": SERVICE}
        if token not in known:
            raise DomainError(Reason.TOKEN_INVALID)
        return known[token]


def register(events: Events, server: LocalServer) -> None:
    """Put the servicer into a table of methods, with a counter of a stream of requests."""
    stubs.add_EventServiceServicer_to_server(events, server)
    handler = grpc.stream_unary_rpc_method_handler(
        events.count,
        request_deserializer=wrappers_pb2.Int32Value.FromString,
        response_serializer=wrappers_pb2.Int32Value.SerializeToString,
    )
    server.add_registered_method_handlers("antiphon.test.Counter", {"Count": handler})


def head() -> pb.GetHeadRequest:
    """A question that is answered at once."""
    return pb.GetHeadRequest(scope=SCOPE)


def read(cursor: str = "hangs") -> pb.ReadEventsRequest:
    """A question that is answered, refused or kept waiting, as ``cursor`` says."""
    return pb.ReadEventsRequest(scope=SCOPE, cursor=cursor)


def subscribe(watch_id: str) -> pb.SubscribeRequest:
    """One message of a stream of requests."""
    return pb.SubscribeRequest(create=stream_pb2.Watch(watch_id=watch_id, scope=SCOPE))


async def failure(call: Any) -> grpc.aio.AioRpcError:
    """How the call was refused."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value
