"""Summaries of a conversation on the real context service and log, as several servers make them."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from antiphon.context.v1 import context_service_pb2, message_pb2
from antiphon.events.v1 import event_service_pb2
from antiphon_server.memory.adapters.conversations import ContextConversations
from antiphon_server.memory.adapters.logs import EventServiceLogs
from antiphon_server.memory.adapters.sql_summaries import SqlSummaries
from antiphon_server.memory.adapters.tables import metadata
from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.summaries.making import Making
from antiphon_server.memory.summaries.model import Node, Summary
from antiphon_server.memory.summaries.reading import Listed, Reading, Shown
from antiphon_server.memory.summaries.summarising import Summarising
from antiphon_server.memory.summaries.writing import Writing
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors import DomainError, Reason
from tests.context.stand_ins import ANN, SERVICE
from tests.context.world import World, parts, posted
from tests.context.world import world as context_world
from tests.fakes.databases import opened_sqlite
from tests.memory.search_world import person

if TYPE_CHECKING:
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub


class Logs(EventServiceLogs):
    """The logs of the life that runs."""

    def __init__(self, world: World) -> None:
        self._world, self._tells_undone = world, True

    @property
    def _events(self) -> "EventServiceAsyncStub":  # type: ignore[override]
        return self._world.log_service.stub


class Unknown:
    """Knows no conversation."""

    async def rarities(
        self, conversation_id: ConversationId, terms: Collection[str]
    ) -> Mapping[str, float]:
        return {}


@dataclass
class Model:
    """Answers with lines that count how often it was asked, or not at all."""

    failing: bool = False
    asked: list[str] = field(default_factory=list)

    async def answer(self, conversation_id: ConversationId, instructions: str, text: str) -> str:
        self.asked.append(text)
        if self.failing:
            raise DomainError(Reason.MODEL_UNAVAILABLE, model="m")
        return f"PEOPLE:\n- they spoke {len(self.asked)}\n\nASSISTANTS:\n- it answered"


@dataclass
class Server:
    """What a server has of summaries."""

    world: World
    store: SqlSummaries
    summarising: Summarising
    reading: Reading
    clock: list[float]

    async def summarise(self, *conversation_ids: str) -> int:
        """Do all that there is to do."""
        for it in conversation_ids:
            self.summarising.want(ConversationId(it))
        total = 0
        while made := await self.summarising.round():
            total += made
        return total

    async def summaries(self, conversation_id: str) -> Sequence[Summary]:
        """All of them, as Ann sees them."""
        return (await self.listed(conversation_id)).summaries

    async def listed(
        self, conversation_id: str, limit: int = 1000, principal: Principal | None = None
    ) -> Listed:
        who = principal or person(ANN)
        return await self.reading.listed(who, ConversationId(conversation_id), None, None, limit)

    async def shown(
        self, conversation_id: str, budget: int = 1000, first: str = "", first_us: int = 1 << 62
    ) -> Shown:
        """What a prompt is told whose first message is that one, said then."""
        self.reading.want(ConversationId(conversation_id))
        where = ConversationId(conversation_id)
        return await self.reading.shown(where, MessageId(first), first_us, budget)


@dataclass
class Stage:
    """A world, and the database of its servers' memory."""

    world: World
    store: SqlSummaries

    def server(self, model: Model | None = None) -> Server:
        """One more server."""
        world, store, now = self.world, self.store, [1_700_000_000.0]
        conversations = ContextConversations(world.client(SERVICE))
        logs = Logs(world)
        making = Making(store, conversations, Unknown())
        writing = None
        if model is not None:
            writing = Writing(store, making, model, "scripted/model", lambda: now[0])
        summarising = Summarising(logs, conversations, store, making, writing)
        reading = Reading(store, logs, conversations, world.accounts, summarising.want)
        return Server(world, store, summarising, reading, now)

    async def fill(self, conversation_id: str, messages: int, first: int = 0) -> list[str]:
        """Have people and models say so much; the ids."""
        ids = list[str]()
        for at in range(first, first + messages):
            if at % 2:
                ids.append(f"msg_reply{at:06}")
                text = f"Fine, the answer about topic{at} is noted as item{at}."
                await self.world.say(conversation_id, text, f"turn_{at:08}", message_id=ids[-1])
            else:
                text = f"Ann decided that topic{at} needs colour{at} by day{at}."
                ids.append(await self.ask(conversation_id, text, f"msg_asked{at:06}"))
        return ids

    async def ask(self, conversation_id: str, text: str, message_id: str) -> str:
        """Have Ann ask something, straight to the log, as the dispatcher does; the message's id."""
        message = message_pb2.Message(
            message_id=message_id,
            conversation_id=conversation_id,
            role=message_pb2.MESSAGE_ROLE_USER,
            author=f"users/{ANN}",
            turn_id=f"turn_{message_id}",
            parts=parts(text),
        )
        await self.world.append(conversation_id, posted(message))
        return message_id

    async def erase(self, conversation_id: str, *message_ids: str) -> None:
        """Erase what these say from the log, of which context learns it."""
        names = [
            context_service_pb2.MessageName(conversation_id=conversation_id, message_id=it)
            for it in message_ids
        ]
        asked = context_service_pb2.GetMessagesRequest(messages=names)
        found = await self.world.client(SERVICE).GetMessages(asked)
        request = event_service_pb2.RedactRequest(
            scope=f"conversations/{conversation_id}", actor=f"users/{ANN}", request_id="erase:1"
        )
        for it in found.messages:
            request.messages.add(message_id=it.message_id, offset=it.offset)
        await self.world.log_service.stub.Redact(request)


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    """A fresh one."""
    async with context_world() as world, opened_sqlite(metadata) as database:
        yield Stage(world, SqlSummaries(database))


def texts(summary: Summary) -> str:
    """All that it says."""
    return "\n".join(it.text for it in summary.lines)


def of(summaries: Sequence[Summary], level: int, number: int) -> Summary:
    """That one of them."""
    return next(it for it in summaries if it.node == Node(level, number))
