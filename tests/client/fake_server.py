"""A server that does to the client whatever a test wants, on a real port."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2

from antiphon.auth.v1 import auth_pb2, auth_service_pb2, auth_service_pb2_grpc
from antiphon.context.v1 import context_service_pb2, context_service_pb2_grpc
from antiphon.context.v1.conversation_pb2 import Conversation
from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_ASSISTANT, Message, Part
from antiphon.dispatcher.v1 import dispatcher_service_pb2 as dispatcher_pb2
from antiphon.dispatcher.v1 import dispatcher_service_pb2_grpc
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1 import event_pb2, event_service_pb2, event_service_pb2_grpc, stream_pb2
from antiphon.events.v1.event_pb2 import Event
from antiphon_client import ApiKey, Client
from antiphon_client.credentials import Credentials
from tests.client.fake_log import CONVERSATION, SCOPE, FakeLog

Context = Any
KEY = ApiKey("key")


def error_status(code: int, reason: str, **metadata: str) -> status_pb2.Status:
    """A status with ErrorInfo, as the contract wants it."""
    status = status_pb2.Status(code=code, message=f"{reason.lower()} happened")
    info = error_details_pb2.ErrorInfo(reason=reason, domain="antiphon", metadata=metadata)
    status.details.add().Pack(info)
    return status


async def refuse(context: Context, code: grpc.StatusCode, reason: str) -> None:
    """End a call with a status."""
    status = error_status(code.value[0], reason)
    details = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(code, status.message, details)


@dataclass
class FakeServer:
    """What the servicers share, and the knobs that tests turn."""

    log: FakeLog = field(default_factory=FakeLog)
    port: int = 0
    token_life_s: float = 600.0
    logins: int = 0
    refreshes: int = 0
    logouts: int = 0
    password_changes: int = 0  # all of them with a wrong old password
    valid: set[str] = field(default_factory=set)
    renewals: list[str] = field(default_factory=list)  # refreshed in-band
    auth_delay_s: float = 0.0
    batch_limit: int = 64
    streams: int = 0
    felt: int = 0  # how often a client asked for a word
    skip: int = 0  # an offset never delivered
    ends: list[stream_pb2.WatchEnded] = field(default_factory=list)  # one per stream, on create
    drain: asyncio.Event = field(default_factory=asyncio.Event)
    silent: bool = False
    frozen: int = 0  # so many streams say nothing more once there are events
    posts: list[str] = field(default_factory=list)
    answer: list[str] = field(default_factory=lambda: ["Hello", " wide", " wörld", "!"])
    gap_s: float = 0.0
    post_error: status_pb2.Status | None = None
    unavailable: int = 0  # how many unary calls fail first
    no_logins: bool = False

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def client(self, credentials: Credentials | None = KEY, **options: Any) -> Client:
        """A client of it."""
        return Client.connect(self.address, credentials, **options)

    def pair(self) -> auth_pb2.TokenPair:
        token = f"access-{self.logins}-{self.refreshes}"
        self.valid.add(token)
        pair = auth_pb2.TokenPair(access_token=token, refresh_token=f"refresh-{token}")
        pair.access_expire_time.FromNanoseconds(int((time.time() + self.token_life_s) * 1e9))
        pair.refresh_expire_time.FromNanoseconds(int((time.time() + 3600) * 1e9))
        return pair

    async def check(self, context: Context) -> None:
        metadata = dict(context.invocation_metadata())
        token = metadata.get("authorization", "").removeprefix("Bearer ")
        if token not in self.valid:
            await refuse(context, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")

    async def say(self, turn_id: str, **payload: Any) -> None:
        await self.log.append(Event(turn_id=turn_id, **payload))

    async def run_turn(self, turn_id: str) -> None:
        message_id = f"msg_{turn_id}"
        await self.say(turn_id, turn_accepted=event_pb2.TurnAccepted(handler="echo"))
        await self.say(turn_id, turn_started=event_pb2.TurnStarted(handler="echo"))
        said = ""
        for piece in self.answer:
            delta = event_pb2.TextDeltaAppended(
                message_id=message_id, text=piece, position=len(said.encode())
            )
            await self.say(turn_id, text_delta_appended=delta)
            said += piece
            await asyncio.sleep(self.gap_s)
        message = Message(
            message_id=message_id, role=MESSAGE_ROLE_ASSISTANT, parts=[Part(text=said)]
        )
        await self.say(turn_id, message_posted=event_pb2.MessagePosted(message=message))
        finished = event_pb2.TurnFinished(state=event_pb2.TURN_STATE_SUCCEEDED, model="fake/model")
        await self.say(turn_id, turn_finished=finished)


class FakeAuth(auth_service_pb2_grpc.AuthServiceServicer):
    def __init__(self, server: FakeServer) -> None:
        self.server = server

    async def Login(self, request: Any, context: Context) -> Any:
        self.server.logins += 1
        await asyncio.sleep(self.server.auth_delay_s)
        if self.server.no_logins:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "try again")
        if request.api_key.api_key == "wrong":
            await refuse(context, grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_INVALID")
        return auth_service_pb2.LoginResponse(tokens=self.server.pair())

    async def Refresh(self, request: Any, context: Context) -> Any:
        self.server.refreshes += 1
        await asyncio.sleep(self.server.auth_delay_s)
        if not request.refresh_token.startswith("refresh-access"):
            await refuse(context, grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_INVALID")
        return auth_service_pb2.RefreshResponse(tokens=self.server.pair())

    async def Logout(self, request: Any, context: Context) -> Any:
        self.server.logouts += 1
        return auth_service_pb2.LogoutResponse()

    async def ChangePassword(self, request: Any, context: Context) -> Any:
        await self.server.check(context)
        self.server.password_changes += 1
        await refuse(context, grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_INVALID")

    async def WhoAmI(self, request: Any, context: Context) -> Any:
        await self.server.check(context)
        if self.server.unavailable:
            self.server.unavailable -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "try again")
        return auth_service_pb2.WhoAmIResponse(user=auth_pb2.User(name="anna"))


class FakeContext(context_service_pb2_grpc.ContextServiceServicer):
    def __init__(self, server: FakeServer) -> None:
        self.server = server

    async def CreateConversation(self, request: Any, context: Context) -> Any:
        await self.server.check(context)
        conversation = Conversation(conversation_id=CONVERSATION, title=request.title)
        return context_service_pb2.CreateConversationResponse(conversation=conversation)

    async def ListConversations(self, request: Any, context: Context) -> Any:
        page = int(request.page_token or 0)
        return context_service_pb2.ListConversationsResponse(
            conversations=[Conversation(conversation_id=f"conv_{page}{i}") for i in range(2)],
            next_page_token=str(page + 1) if page < 2 else "",
        )


class Streams:
    """Subscribe and Converse: commands up, a watch's frames down."""

    def __init__(self, server: FakeServer, response: Any) -> None:
        self.server = server
        self.response = response

    async def serve(self, context: Context) -> None:
        server = self.server
        await server.check(context)
        server.streams += 1
        number = server.streams
        tasks: list[asyncio.Task[None]] = []
        writing = asyncio.Lock()

        async def write(**frame: Any) -> None:
            async with writing:
                if number <= server.frozen and server.log.events:
                    await asyncio.Event().wait()
                await context.write(self.response(**frame))

        try:
            while (request := await context.read()) is not grpc.aio.EOF:
                action = request.WhichOneof("action")
                if action in ("create", "subscribe"):
                    watch = self.watch(getattr(request, action), write)
                    tasks.append(asyncio.create_task(watch))
                elif action == "refresh":
                    server.renewals.append(request.refresh.access_token)
                elif action == "unsubscribe":
                    server.felt += 1
                    gone = stream_pb2.WatchEnded(watch_id=request.unsubscribe.watch_id)
                    await write(ended=gone)
                elif action == "post":
                    await self.post(request, write)
                elif action == "cancel":
                    turn = Turn(turn_id=request.cancel.turn_id)
                    accepted = dispatcher_pb2.Accepted(tag=request.tag, turn=turn)
                    await write(accepted=accepted)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def post(self, request: Any, write: Any) -> None:
        server, turn_id = self.server, request.post.turn_id
        if server.post_error is not None:
            error = dispatcher_pb2.ConverseError(tag=request.tag, error=server.post_error)
            await write(error=error)
            return
        if turn_id not in server.posts:
            server.posts.append(turn_id)
            asyncio.get_running_loop().create_task(server.run_turn(turn_id))
        turn = Turn(turn_id=turn_id, message_id="msg_1")
        await write(accepted=dispatcher_pb2.Accepted(tag=request.tag, turn=turn))

    async def watch(self, watch: stream_pb2.Watch, write: Any) -> None:
        server, log = self.server, self.server.log
        if server.ends:
            ended = server.ends.pop(0)
            ended.watch_id = watch.watch_id
            await write(ended=ended)
            return
        latest = watch.start != stream_pb2.START_POSITION_EARLIEST
        start = log.position(watch.cursor) if watch.cursor else (log.head if latest else 0)
        if start is None:
            earliest = log.cursor(log.earliest - 1)
            lost = error_status(code_pb2.OUT_OF_RANGE, "CURSOR_TRIMMED", earliest_cursor=earliest)
            reason = stream_pb2.CLOSE_REASON_HISTORY_LOST
            ended = stream_pb2.WatchEnded(watch_id=watch.watch_id, reason=reason, error=lost)
            await write(ended=ended)
            return
        if server.silent:
            return
        created = stream_pb2.WatchCreated(watch_id=watch.watch_id, cursor=log.cursor(start))
        await write(created=created)
        await self.deliver(watch, start, write)

    async def deliver(self, watch: stream_pb2.Watch, position: int, write: Any) -> None:
        server, log = self.server, self.server.log
        while True:
            async with log.news:
                while log.head <= position and not server.drain.is_set():
                    await log.news.wait()
            if server.drain.is_set():
                server.drain.clear()
                draining = stream_pb2.Draining()
                draining.reconnect_after.FromMilliseconds(200)
                await write(draining=draining)
                reason = stream_pb2.CLOSE_REASON_DRAINING
                await write(ended=stream_pb2.WatchEnded(reason=reason))
                return
            found = log.after(position, server.batch_limit)
            position = found[-1].last_offset
            events = [event for event in found if event.last_offset != server.skip]
            cursor = log.cursor(position)
            batch = stream_pb2.EventBatch(watch_id=watch.watch_id, events=events, cursor=cursor)
            await write(batch=batch)


class FakeEvents(event_service_pb2_grpc.EventServiceServicer):
    def __init__(self, server: FakeServer) -> None:
        self.streams = Streams(server, event_service_pb2.SubscribeResponse)

    async def Subscribe(  # type: ignore[override]
        self, _: Any, context: Context
    ) -> None:
        await self.streams.serve(context)


class FakeDispatcher(dispatcher_service_pb2_grpc.DispatcherServiceServicer):
    def __init__(self, server: FakeServer) -> None:
        self.streams = Streams(server, dispatcher_pb2.ConverseResponse)

    async def Converse(  # type: ignore[override]
        self, _: Any, context: Context
    ) -> None:
        await self.streams.serve(context)


_SERVICERS: tuple[tuple[Any, Any], ...] = (  # Any: they serve only what these tests call
    (auth_service_pb2_grpc.add_AuthServiceServicer_to_server, FakeAuth),
    (context_service_pb2_grpc.add_ContextServiceServicer_to_server, FakeContext),
    (event_service_pb2_grpc.add_EventServiceServicer_to_server, FakeEvents),
    (dispatcher_service_pb2_grpc.add_DispatcherServiceServicer_to_server, FakeDispatcher),
)


@asynccontextmanager
async def fake_server(**knobs: Any) -> AsyncIterator[FakeServer]:
    """Run a fake server on a port of its own."""
    state = FakeServer(**knobs)
    server = grpc.aio.server(options=[("grpc.http2.min_ping_interval_without_data_ms", 1000)])
    for add, servicer in _SERVICERS:
        add(servicer(state), server)
    state.port = server.add_insecure_port(f"127.0.0.1:{state.port}")
    await server.start()
    try:
        yield state
    finally:
        await server.stop(None)


__all__ = ["SCOPE", "CONVERSATION", "FakeServer", "fake_server", "error_status"]
