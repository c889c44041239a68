"""One Converse stream: commands up, answers and a Subscribe stream down."""

import asyncio
import contextlib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, TypeAlias, assert_never

import grpc
from google.protobuf.message import Message

from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon.events.v1 import event_pb2, event_service_pb2
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon_server.dispatcher.calls import Caller, Openings, TurnCalls
from antiphon_server.dispatcher.model import ConversationId
from antiphon_server.dispatcher.ports import Gatekeeper
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import remote_errors, status_of
from antiphon_server.runtime.limits.share_costs import WRITE_S
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.rpc.duplex import open_stream, serve_duplex
from antiphon_server.runtime.rpc.interceptors.authentication import bearer_token
from antiphon_server.runtime.rpc.interceptors.validation import InvalidMessage
from antiphon_server.runtime.rpc.slow_readers import TimedWriter

SUBSCRIBE = "/antiphon.events.v1.EventService/Subscribe"
TYPING_TIMEOUT_S = 5.0
CREDENTIALS = frozenset({"authorization"})
TRACE = frozenset({"traceparent", "tracestate"})
MAX_TAG = 64  # as the contract has it: one that is longer is not sent back

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Metadata = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Conversing:
    """One stream: who speaks, and with which credentials the log is followed.

    ``trace`` is what its caller brought of the trace that it belongs to.
    """

    principal: Principal
    token: str
    metadata: Metadata
    trace: Metadata
    context: Context
    inner: "grpc.aio.StreamStreamCall[event_service_pb2.SubscribeRequest, bytes]"
    writer: TimedWriter
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def caller(self) -> Caller:
        """Who speaks now."""
        return Caller(self.principal, (*self.metadata, *self.trace))

    async def write(self, frame: bytes | Message) -> None:
        """Write one frame; frames come from two tasks."""
        async with self.writing:
            await self.writer.write(frame)

    async def forward(self, request: event_service_pb2.SubscribeRequest) -> None:
        """Hand a request to the log's stream. If that has ended, who reads it says why."""
        with contextlib.suppress(asyncio.InvalidStateError, grpc.aio.AioRpcError):
            await self.inner.write(request)


class Conversings:
    """Serves Converse. The log's frames pass through as bytes: their fields are the same."""

    def __init__(
        self,
        calls: TurnCalls,
        gatekeeper: Gatekeeper,
        openings: Openings,
        events: grpc.aio.Channel,
        shares: Shares,
    ) -> None:
        self._shares = shares
        self._calls = calls
        self._openings = openings
        self._gatekeeper = gatekeeper
        self._events = EventServiceStub(events)
        self._subscribe: Any = events.stream_stream(
            SUBSCRIBE,
            request_serializer=event_service_pb2.SubscribeRequest.SerializeToString,
            response_deserializer=None,
        )

    async def converse(self, principal: Principal, context: Context) -> None:
        """Serve one stream until it, or the log's stream under it, ends."""
        await open_stream(context)
        token = bearer_token(context) if principal.kind == "user" else ""
        if token:  # opening took until the client read: is it still who it was?
            await self._gatekeeper.verify(token)
        metadata, trace = _brought(context, CREDENTIALS), _brought(context, TRACE)
        inner = self._subscribe(metadata=metadata)
        with TimedWriter(context) as writer:
            stream = _Conversing(principal, token, metadata, trace, context, inner, writer)
            try:
                await serve_duplex(self._obey_all(stream), _relay(stream))
            finally:
                inner.cancel()

    async def _obey_all(self, stream: _Conversing) -> None:
        while True:
            try:
                request = await stream.context.read()
            except InvalidMessage as error:
                await _refuse(stream, error.message.tag, error)
                continue
            if request is grpc.aio.EOF:
                return
            try:
                await self._obey(stream, request)
            except DomainError as error:
                await _refuse(stream, request.tag, error)

    async def _obey(self, stream: _Conversing, request: pb.ConverseRequest) -> None:
        action = request.WhichOneof("action")
        # The stream of a session that ends is ended, but a moment later. A refresh brings
        # its own token.
        if stream.token and action != "refresh":
            await self._gatekeeper.verify(stream.token)
        match action:
            case "post":
                await stream.write(await self._post(stream, request))
            case "cancel":
                await stream.write(await self._cancel(stream, request))
            case "typing":
                await self._typing(stream, request.typing)
            case "subscribe":
                create = event_service_pb2.SubscribeRequest(create=request.subscribe)
                await stream.forward(create)
            case "unsubscribe":
                cancel = event_service_pb2.SubscribeRequest(cancel=request.unsubscribe)
                await stream.forward(cancel)
            case "refresh":
                await self._refresh(stream, request)
            case None:
                raise DomainError(Reason.UNIMPLEMENTED)
            case _:
                assert_never(action)

    async def _post(self, stream: _Conversing, request: pb.ConverseRequest) -> pb.ConverseResponse:
        await self._shares.call(stream.principal.actor, WRITE_S)
        post = await self._openings.opened(request.post, stream.caller)
        conversation_id = ConversationId(post.conversation_id)
        await self._gatekeeper.check_write(stream.principal, conversation_id)
        answer = await self._calls.dispatch(post, stream.caller)
        accepted = pb.Accepted(tag=request.tag, turn=answer.turn, cursor=answer.cursor)
        return pb.ConverseResponse(accepted=accepted)

    async def _cancel(
        self, stream: _Conversing, request: pb.ConverseRequest
    ) -> pb.ConverseResponse:
        conversation_id = ConversationId(request.cancel.conversation_id)
        await self._gatekeeper.check_write(stream.principal, conversation_id)
        answer = await self._calls.cancel(request.cancel, stream.caller)
        return pb.ConverseResponse(accepted=pb.Accepted(tag=request.tag, turn=answer.turn))

    async def _typing(self, stream: _Conversing, typing: pb.SetTyping) -> None:
        with remote_errors():
            await self._events.PublishEphemeral(
                event_service_pb2.PublishEphemeralRequest(
                    scope=f"conversations/{typing.conversation_id}",
                    typing=event_pb2.TypingChanged(typing=typing.typing),
                ),
                metadata=stream.metadata,
                timeout=TYPING_TIMEOUT_S,
            )

    async def _refresh(self, stream: _Conversing, request: pb.ConverseRequest) -> None:
        """Go on with the new token; the log's stream ends all if it is a bad one."""
        token = request.refresh.access_token
        await stream.forward(event_service_pb2.SubscribeRequest(refresh=request.refresh))
        principal = await self._gatekeeper.verify(token)
        if principal.user_id == stream.principal.user_id:
            stream.principal, stream.token = principal, token
            stream.metadata = (("authorization", f"Bearer {token}"),)


async def _refuse(stream: _Conversing, tag: str, error: DomainError) -> None:
    failed = pb.ConverseError(tag=tag[:MAX_TAG], error=status_of(error))
    await stream.write(pb.ConverseResponse(error=failed))


async def _relay(stream: _Conversing) -> None:
    with remote_errors():
        while True:
            frame = await stream.inner.read()
            if not isinstance(frame, bytes):  # EOF
                return
            await stream.write(frame)


def _brought(context: Context, keys: Collection[str]) -> Metadata:
    metadata = context.invocation_metadata() or ()
    return tuple((key, value) for key, value in metadata if key in keys and isinstance(value, str))
