"""A context service behind its real interceptors, on the real store and log."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
from sqlalchemy import Connection, delete, select

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
from antiphon_server.context.access_policy import ContextAccessPolicy
from antiphon_server.context.adapters.event_log import EventServiceLog
from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.adapters.tables import metadata
from antiphon_server.context.compose import Context, compose
from antiphon_server.context.model.changes import EncodedEntry, OutboxEntry
from antiphon_server.context.model.messages import LogPage, NewMessage, Offset, Placed
from antiphon_server.context.model.resources import ConversationId
from antiphon_server.context.model.role_changes import RoleChange
from antiphon_server.context.ports import EventLog, Store
from antiphon_server.context.service.changes import RELAY_WAIT_S
from antiphon_server.events.adapters.silent_bus import SilentBus
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.adapters.tables import log as log_rows
from antiphon_server.events.adapters.tables import metadata as events_metadata
from antiphon_server.events.adapters.tables import requests, scopes
from antiphon_server.events.log import EventLog as Log
from antiphon_server.events.servicer import EventServicer
from antiphon_server.events.subscriptions import Subscriptions
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.errors.wire import domain_error_of
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.interceptors.access import AccessInterceptor
from antiphon_server.runtime.rpc.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from antiphon_server.runtime.storage.database import Database
from tests.context.entries import entry_of, role_change_of
from tests.fakes.databases import opened_sqlite

if TYPE_CHECKING:
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub

ANN, BOB, CAT = "user_ann00000", "user_bob00000", "user_cat00000"
NOBODY = "user_nobody000"
SERVICE = "service"


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
    """The log, which can be taken away, or refuse one scope.

    ``appends`` are the entries that it was asked to keep.
    """

    def __init__(self, inner: EventLog) -> None:
        self.inner = inner
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
        await self.inner.append(entry)

    async def post(self, message: NewMessage, request_id: str) -> Placed:
        self._check()
        return await self.inner.post(message, request_id)

    async def read(self, conversation_id: ConversationId, cursor: str) -> LogPage:
        self._check()
        return await self.inner.read(conversation_id, cursor)

    async def trim(self, conversation_id: ConversationId, before: Offset) -> None:
        await self.inner.trim(conversation_id, before)

    def _check(self) -> None:
        if self.broken:
            raise DomainError(Reason.STORE_UNAVAILABLE)


class Trail:
    """What the audit trail would be told, each entry once; it can be taken away."""

    def __init__(self) -> None:
        self._changes: dict[str, RoleChange] = {}
        self.broken = False

    @property
    def changes(self) -> list[RoleChange]:
        """Those that were told, in that order."""
        return list(self._changes.values())

    async def role_changed(self, change: EncodedEntry) -> None:
        """See :meth:`RoleAudit.role_changed`."""
        if self.broken:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        self._changes.setdefault(change.entry_id, role_change_of(change))


class LogService:
    """The service that has the log, over its lives; ``stub`` calls the one that runs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._life = Lifecycle()

    async def start(self) -> None:
        """Begin a life."""
        bus = SilentBus() if self._database.shared else None
        self.log = Log(SqlLogStore(self._database), clock=self._clock, bus=bus)
        writer = self._life.spawn("log", self.log.run())

        async def flush() -> None:
            self.log.close()
            await asyncio.wait([writer])

        self._life.on_stop("log", flush)
        if self.log.peer_commits is not None:
            self._life.spawn("log.nodes", self.log.peer_commits.run())
        server = LocalServer([ErrorInterceptor()])
        add_EventServiceServicer_to_server(EventServicer(self.log, Subscriptions(_Open())), server)
        self.stub: EventServiceAsyncStub = EventServiceStub(server.channel())

    async def stop(self) -> None:
        """End it."""
        await self._life.stop()

    async def lose(self, scope: str) -> None:
        """Lose what is stored of a scope."""

        def work(connection: Connection) -> None:
            lost = select(scopes.c.id).where(scopes.c.scope == scope).scalar_subquery()
            for table in (log_rows, requests):
                connection.execute(delete(table).where(table.c.scope_id == lost))
            connection.execute(delete(scopes).where(scopes.c.scope == scope))

        await self._database.write(work)


@dataclass
class World:
    """Everything a test may want to touch."""

    database: Database
    context: Context
    server: LocalServer
    store: Store
    log_service: LogService
    log: Flaky
    audit: Trail
    accounts: Accounts
    clock: Clock
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

    async def say(
        self,
        conversation_id: str,
        text: str,
        turn_id: str = "",
        role: "message_pb2.MessageRole.ValueType" = message_pb2.MESSAGE_ROLE_ASSISTANT,
        message_id: str = "",
    ) -> None:
        """Have a turn say something, straight to the log, as the dispatcher does."""
        message = message_pb2.Message(
            message_id=message_id or f"msg_{next(self._numbers):08}",
            conversation_id=conversation_id,
            role=role,
            author="handlers/echo",
            turn_id=turn_id,
            parts=parts(text),
        )
        await self.append(conversation_id, posted(message))

    async def roll_back(self, conversation_id: str, turn_id: str) -> None:
        """Have the dispatcher end a turn whose messages are left out from now on."""
        finished = event_pb2.TurnFinished(state=event_pb2.TURN_STATE_CANCELLED, rolled_back=True)
        event = event_pb2.Event(actor="handlers/echo", turn_id=turn_id, turn_finished=finished)
        await self.append(conversation_id, event)

    async def append(self, conversation_id: str, *events: event_pb2.Event) -> None:
        """Commit events."""
        scope = f"conversations/{conversation_id}"
        request = event_service_pb2.AppendRequest(scope=scope, events=events)
        await self.log_service.stub.Append(request)

    async def events(self, scope: str) -> event_service_pb2.ReadEventsResponse:
        """What the log has of a scope, up to a thousand events."""
        request = event_service_pb2.ReadEventsRequest(scope=scope, page_size=1000)
        return await self.log_service.stub.ReadEvents(request)

    async def restart_log(self) -> None:
        """Begin the next life of the log's service, which knows what is stored and no more."""
        await self.log_service.stop()
        await self.log_service.start()
        self.log.inner = EventServiceLog(self.log_service.stub)

    async def rebuild(self, conversation_id: str) -> None:
        """Have the log lose a conversation's history and begin a new epoch, as after a disaster."""
        await self.log_service.lose(f"conversations/{conversation_id}")
        await self.restart_log()

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
    keep_s: float | None = None, relay_wait_s: float = RELAY_WAIT_S
) -> AsyncIterator[World]:
    """A fresh world."""
    async with (
        opened_sqlite(metadata, events_metadata) as database,
        server_on(database, keep_s, relay_wait_s) as made,
    ):
        yield made


@asynccontextmanager
async def server_on(
    database: Database, keep_s: float | None = None, relay_wait_s: float = RELAY_WAIT_S
) -> AsyncIterator[World]:
    """A server on a database that has the tables of context and of the log."""
    clock = Clock()
    log_service = LogService(database, clock)
    await log_service.start()
    made = _world(database, log_service, clock, keep_s, relay_wait_s)
    yield made
    await made.context.changes.close()
    await log_service.stop()


def _world(
    database: Database,
    log_service: LogService,
    clock: Clock,
    keep_s: float | None,
    relay_wait_s: float,
) -> World:
    store, log = SqlStore(database), Flaky(EventServiceLog(log_service.stub))
    trail, accounts = Trail(), Accounts()
    context = compose(
        store,
        log,
        clock,
        accounts,
        trail,
        keep_s,
        shared=database.shared,
        relay_wait_s=relay_wait_s,
    )
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
        database, context, outside, store, log_service, log, trail, accounts, clock, numbers
    )


class _Open(Tokens):
    async def check_read(self, principal: Principal, scope: str) -> None:
        return


def posted(message: message_pb2.Message) -> event_pb2.Event:
    """What tells that its turn has said something."""
    payload = event_pb2.MessagePosted(message=message)
    return event_pb2.Event(actor=message.author, turn_id=message.turn_id, message_posted=payload)


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
