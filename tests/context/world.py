"""A context service behind its real interceptors, on either kind of store and log."""

import itertools
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1 import message_pb2
from antiphon.context.v1.context_service_pb2_grpc import (
    ContextServiceStub,
    add_ContextServiceServicer_to_server,
)
from antiphon.events.v1 import event_pb2, event_service_pb2
from antiphon.events.v1.event_service_pb2_grpc import (
    EventServiceStub,
    add_EventServiceServicer_to_server,
)
from antiphon_server.context import encoding
from antiphon_server.context.access_policy import ContextAccessPolicy
from antiphon_server.context.adapters.event_log import EventServiceLog
from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.adapters.tables import metadata
from antiphon_server.context.compose import Context, compose
from antiphon_server.context.model.changes import EncodedEntry, OutboxEntry
from antiphon_server.context.model.messages import (
    LogPage,
    MessageId,
    MessageRole,
    NewMessage,
    Offset,
    Placed,
)
from antiphon_server.context.model.resources import ConversationId
from antiphon_server.context.ports import EventLog, Store
from antiphon_server.context.service.changes import RELAY_WAIT_S
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.adapters.tables import metadata as events_metadata
from antiphon_server.events.log import EventLog as Log
from antiphon_server.events.servicer import EventServicer
from antiphon_server.events.subscriptions import Subscriptions
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.errors.wire import domain_error_of
from antiphon_server.runtime.rpc.interceptors.access import AccessInterceptor
from antiphon_server.runtime.rpc.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.sqlite import SqliteDatabase
from tests.fakes.memory.context.entries import entry_of
from tests.fakes.memory.context.log import MemoryEventLog
from tests.fakes.memory.context.roles import MemoryRoles
from tests.fakes.memory.context.store import MemoryStore

if TYPE_CHECKING:
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub

ANN, BOB, CAT = "user_ann00000", "user_bob00000", "user_cat00000"
NOBODY = "user_nobody000"
SERVICE = "service"
KINDS = ("memory", "sqlite")


class Tokens:
    """A verifier for which a token is the user's id, or the word ``service``."""

    async def verify(self, token: str) -> Principal:
        kind: Sequence[str] = ("service", "test") if token == SERVICE else ("user", token)
        return Principal(
            "service" if kind[0] == "service" else "user", UserId(kind[1]), SessionId("s")
        )


class Accounts:
    """Everybody has an account but ``NOBODY``; ``asked`` is how often names were asked for."""

    def __init__(self) -> None:
        self.away = False
        self.asked = 0

    async def require(self, user_id: UserId) -> None:
        if user_id == NOBODY:
            raise not_found(f"users/{user_id}")

    async def names_of(self, user_ids: Collection[UserId]) -> Mapping[UserId, str]:
        self.asked += 1
        if self.away:
            return {}
        return {user_id: name_of(user_id) for user_id in user_ids}


def name_of(user_id: str) -> str:
    """What somebody is called."""
    return f"name of {user_id}"


class Clock:
    """A clock that advances by a millisecond whenever it is read."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


class Flaky:
    """A log that can be taken away, or refuse one scope.

    ``appends`` are the entries that it was asked to keep.
    """

    def __init__(self, inner: EventLog) -> None:
        self._inner = inner
        self.broken = False
        self.refused = ""
        self.why = Reason.OVERLOADED
        self.appends: list[OutboxEntry] = []

    async def append(self, entry: EncodedEntry) -> None:
        self._check()
        if self.refused and entry.listener == self.refused:
            raise DomainError(self.why)
        said = entry_of(entry)
        self.appends.append(said)
        await self._inner.append(entry)

    async def post(self, message: NewMessage, request_id: str) -> Placed:
        self._check()
        return await self._inner.post(message, request_id)

    async def read(self, conversation_id: ConversationId, cursor: str) -> LogPage:
        self._check()
        return await self._inner.read(conversation_id, cursor)

    async def trim(self, conversation_id: ConversationId, before: Offset) -> None:
        await self._inner.trim(conversation_id, before)

    def _check(self) -> None:
        if self.broken:
            raise DomainError(Reason.STORE_UNAVAILABLE)


class FlakyAudit(MemoryRoles):
    """A trail that can be taken away."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = False

    async def role_changed(self, change: EncodedEntry) -> None:
        if self.broken:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        await super().role_changed(change)


@dataclass
class World:
    """Everything a test may want to touch."""

    context: Context
    server: LocalServer
    store: Store
    log: Flaky
    audit: FlakyAudit
    accounts: Accounts
    clock: Clock
    memory_log: MemoryEventLog | None
    events: "EventServiceAsyncStub | None"
    _numbers: "itertools.count[int]"

    def client(self, user: str) -> "ContextServiceAsyncStub":
        """The service as that user sees it."""
        channel = self.server.channel(lambda: (("authorization", f"Bearer {user}"),))
        return ContextServiceStub(channel)

    async def conversation(self, user: str = ANN, **fields: str) -> str:
        """Make a conversation."""
        request = pb.CreateConversationRequest(**fields)  # type: ignore[arg-type]
        made = await self.client(user).CreateConversation(request)
        return made.conversation.conversation_id

    async def post(self, conversation_id: str, text: str, user: str = ANN) -> message_pb2.Message:
        """Say something as a user."""
        request = pb.PostMessageRequest(conversation_id=conversation_id, parts=parts(text))
        return (await self.client(user).PostMessage(request)).message

    async def say(self, conversation_id: str, text: str, turn_id: str = "") -> None:
        """Have a handler say something, straight to the log, as the dispatcher does."""
        message = message_pb2.Message(
            message_id=f"msg_{next(self._numbers):08}",
            conversation_id=conversation_id,
            role=message_pb2.MESSAGE_ROLE_ASSISTANT,
            author="handlers/echo",
            turn_id=turn_id,
            parts=parts(text),
        )
        if self.memory_log is not None:
            new = NewMessage(
                MessageId(message.message_id),
                ConversationId(conversation_id),
                message.author,
                encoding.content_of(message),
            )
            self.memory_log.say(new, MessageRole.ASSISTANT, turn_id)
            return
        posted = event_pb2.MessagePosted(message=message)
        event = event_pb2.Event(actor=message.author, turn_id=turn_id, message_posted=posted)
        await self._append(conversation_id, event)

    async def roll_back(self, conversation_id: str, turn_id: str) -> None:
        """Have the dispatcher end a turn whose messages are left out from now on."""
        if self.memory_log is not None:
            self.memory_log.roll_back(ConversationId(conversation_id), turn_id)
            return
        finished = event_pb2.TurnFinished(state=event_pb2.TURN_STATE_CANCELLED, rolled_back=True)
        event = event_pb2.Event(actor="handlers/echo", turn_id=turn_id, turn_finished=finished)
        await self._append(conversation_id, event)

    async def _append(self, conversation_id: str, event: event_pb2.Event) -> None:
        assert self.events is not None
        scope = f"conversations/{conversation_id}"
        request = event_service_pb2.AppendRequest(scope=scope, events=[event])
        await self.events.Append(request)

    async def context_of(
        self, conversation_id: str, max_tokens: int = 0, up_to: int = 0, answered: str = ""
    ) -> pb.GetContextResponse:
        """What a model should see."""
        request = pb.GetContextRequest(
            conversation_id=conversation_id,
            max_tokens=max_tokens,
            up_to_offset=up_to,
            message_id=answered,
        )
        return await self.client(SERVICE).GetContext(request)


@asynccontextmanager
async def world(
    kind: str, tmp_path: Path, keep_s: float | None = None, relay_wait_s: float = RELAY_WAIT_S
) -> AsyncIterator[World]:
    """A fresh world: all in memory, or all in SQLite with the real log."""
    clock = Clock()
    if kind == "memory":
        log = MemoryEventLog(clock)
        yield _world(MemoryStore(), log, clock, log, None, keep_s, relay_wait_s)
        return
    database = SqliteDatabase(tmp_path / "context.db")
    await database.write(metadata.create_all)
    await database.write(events_metadata.create_all)
    real = Log(SqlLogStore(database), clock=clock)
    async with _running(real) as events:
        told = EventServiceLog(events)
        made = _world(SqlStore(database), told, clock, None, events, keep_s, relay_wait_s)
        yield made
        await made.context.changes.close()
    await database.close()


@asynccontextmanager
async def server_on(database: Database) -> AsyncIterator[World]:
    """One of the servers that share a database, which has the tables."""
    clock = Clock()
    log = MemoryEventLog(clock)
    made = _world(SqlStore(database), log, clock, log, None, None)
    yield made
    await made.context.changes.close()


def _world(
    store: Store,
    log: EventLog,
    clock: Clock,
    memory_log: MemoryEventLog | None,
    events: "EventServiceAsyncStub | None",
    keep_s: float | None,
    relay_wait_s: float = RELAY_WAIT_S,
) -> World:
    flaky, audit, accounts = Flaky(log), FlakyAudit(), Accounts()
    context = compose(store, flaky, clock, accounts, audit, keep_s, relay_wait_s=relay_wait_s)
    inside = LocalServer([ErrorInterceptor(), AuthenticationInterceptor(Tokens())])
    add_ContextServiceServicer_to_server(context.servicer, inside)
    policy = ContextAccessPolicy(
        ContextServiceStub(inside.channel(lambda: (("authorization", f"Bearer {SERVICE}"),)))
    )
    outside = LocalServer(
        [
            ErrorInterceptor(),
            AuthenticationInterceptor(Tokens()),
            ValidationInterceptor(),
            AccessInterceptor(policy),
        ]
    )
    add_ContextServiceServicer_to_server(context.servicer, outside)
    numbers = itertools.count(1)
    return World(
        context, outside, store, flaky, audit, accounts, clock, memory_log, events, numbers
    )


@asynccontextmanager
async def _running(log: Log) -> AsyncIterator["EventServiceAsyncStub"]:
    import asyncio

    running = asyncio.create_task(log.run())
    server = LocalServer([ErrorInterceptor()])
    add_EventServiceServicer_to_server(EventServicer(log, Subscriptions(_Open())), server)
    yield EventServiceStub(server.channel())
    log.close()
    await running


class _Open(Tokens):
    async def check_read(self, principal: Principal, scope: str) -> None:
        return


def parts(*texts: str) -> list[message_pb2.Part]:
    """Text parts."""
    return [message_pb2.Part(text=text) for text in texts]


def texts(messages: Sequence[message_pb2.Message]) -> list[str]:
    """The first part of each message."""
    return [message.parts[0].text for message in messages]


class Refused:
    """Expects a call to fail for one reason; ``error`` is what it said."""

    def __init__(self, reason: Reason) -> None:
        self._reason = reason
        self.error: DomainError | None = None

    def __enter__(self) -> "Refused":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        assert isinstance(error, grpc.aio.AioRpcError), f"not refused: {error!r}"
        self.error = domain_error_of(error)
        assert self.error.reason is self._reason, self.error
        return True
