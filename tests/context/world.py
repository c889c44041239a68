"""A context service behind its real interceptors, on the real store and log."""

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from antiphon.auth.v1 import access_pb2
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1 import conversation_pb2, message_pb2
from antiphon.context.v1.context_service_pb2_grpc import (
    ContextServiceStub,
    add_ContextServiceServicer_to_server,
)
from antiphon.context.v1.notice_service_pb2_grpc import (
    NoticeServiceStub,
    add_NoticeServiceServicer_to_server,
)
from antiphon.events.v1 import event_pb2, event_service_pb2
from antiphon_server.context.access_policy import ContextAccessPolicy
from antiphon_server.context.adapters.event_log import EventServiceLog
from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.adapters.tables import metadata
from antiphon_server.context.compose import Context, compose
from antiphon_server.context.ports import Store
from antiphon_server.context.service.changes import RELAY_WAIT_S
from antiphon_server.events.adapters.tables import metadata as events_metadata
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.rpc.interceptors.access import AccessInterceptor
from antiphon_server.runtime.rpc.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from antiphon_server.runtime.storage.database import Database
from tests.context.log_service import LogService
from tests.context.stand_ins import ANN, SERVICE, Accounts, Clock, Flaky, Tokens, Trail
from tests.fakes.databases import opened_sqlite

if TYPE_CHECKING:
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub
    from antiphon.context.v1.notice_service_pb2_grpc import NoticeServiceAsyncStub

Role: TypeAlias = "access_pb2.Role.ValueType"


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

    def notices(self, user: str) -> "NoticeServiceAsyncStub":
        """The service of notices as that user sees it."""
        channel = self.server.channel(lambda: (("authorization", f"Bearer {user}"),))
        return NoticeServiceStub(channel)

    async def conversation(self, user: str = ANN, **fields: str) -> str:
        """Make a conversation."""
        request = pb.CreateConversationRequest(**fields)  # type: ignore[arg-type]
        made = await self.client(user).CreateConversation(request)
        return made.conversation.conversation_id

    async def workspace(self, user: str = ANN, name: str = "Lab") -> conversation_pb2.Workspace:
        """Make a workspace."""
        request = pb.CreateWorkspaceRequest(display_name=name)
        return (await self.client(user).CreateWorkspace(request)).workspace

    async def add(self, resource: str, user: str, role: Role, by: str = ANN) -> None:
        """Make somebody a member."""
        request = pb.AddMemberRequest(resource=resource, user_id=user, role=role)
        await self.client(by).AddMember(request)

    async def remove(self, resource: str, user: str, by: str = ANN) -> None:
        """Take somebody's role away."""
        request = pb.RemoveMemberRequest(resource=resource, user_id=user)
        await self.client(by).RemoveMember(request)

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
    clock, trail, accounts = Clock(), Trail(), Accounts()
    log_service = LogService(database, clock)
    await log_service.start()
    store, log = SqlStore(database), Flaky(EventServiceLog(log_service.stub))
    shared = database.shared
    context = compose(
        store, log, clock, accounts, trail, keep_s, shared=shared, relay_wait_s=relay_wait_s
    )
    yield World(
        *(database, context, _served(context), store, log_service),
        *(log, trail, accounts, clock, itertools.count(1)),
    )
    await context.changes.close()
    await log_service.stop()


def _served(context: Context) -> LocalServer:
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
    add_NoticeServiceServicer_to_server(context.notices, outside)
    return outside


def posted(message: message_pb2.Message) -> event_pb2.Event:
    """What tells that its turn has said something."""
    payload = event_pb2.MessagePosted(message=message)
    return event_pb2.Event(actor=message.author, turn_id=message.turn_id, message_posted=payload)


async def pages(listing: Any, request: Any) -> list[Any]:
    """All answers of a list, from the page that is asked for to the last."""
    answers = [await listing(request)]
    while token := answers[-1].next_page_token:
        request.page_token = token
        answers.append(await listing(request))
    return answers


def parts(*texts: str) -> list[message_pb2.Part]:
    """Text parts."""
    return [message_pb2.Part(text=text) for text in texts]


def texts(messages: Sequence[message_pb2.Message]) -> list[str]:
    """The first part of each message."""
    return [message.parts[0].text for message in messages]
