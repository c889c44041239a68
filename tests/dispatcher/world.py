"""A dispatcher on a real log."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from antiphon.events.v1 import event_pb2, event_service_pb2
from antiphon.events.v1.event_service_pb2_grpc import (
    EventServiceStub,
    add_EventServiceServicer_to_server,
)
from antiphon_server.dispatcher.adapters.event_log import EventLogJournal
from antiphon_server.dispatcher.adapters.row import to_row
from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.dispatcher.adapters.sql_handoffs import SqlHandoffQueue
from antiphon_server.dispatcher.adapters.tables import metadata
from antiphon_server.dispatcher.adapters.tables import turns as rows
from antiphon_server.dispatcher.admission import Admission
from antiphon_server.dispatcher.adoption import Adoptions
from antiphon_server.dispatcher.answers import Answers
from antiphon_server.dispatcher.choosing import Choosing
from antiphon_server.dispatcher.decisions import Decisions
from antiphon_server.dispatcher.encoding import result_of, text_of
from antiphon_server.dispatcher.execution import Execution
from antiphon_server.dispatcher.handing_off import HandingOff
from antiphon_server.dispatcher.handlers.echo import Echo
from antiphon_server.dispatcher.handlers.registry import Handlers
from antiphon_server.dispatcher.handling import Handler
from antiphon_server.dispatcher.handoffs import Handoffs
from antiphon_server.dispatcher.lane import Lanes
from antiphon_server.dispatcher.leases import Leases
from antiphon_server.dispatcher.limits import TurnLimits
from antiphon_server.dispatcher.masking import Masks
from antiphon_server.dispatcher.model import (
    ConversationId,
    ConversationView,
    LossPolicy,
    Order,
    Past,
    Policy,
    State,
    StoredTurn,
    Turn,
    TurnId,
)
from antiphon_server.dispatcher.ports import Left, RoutesTurns, TurnStore, Words
from antiphon_server.dispatcher.recovery import Recovery
from antiphon_server.dispatcher.runner import Runner
from antiphon_server.dispatcher.turns import Turns
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.adapters.tables import metadata as events_metadata
from antiphon_server.events.log import EventLog
from antiphon_server.events.servicer import EventServicer
from antiphon_server.events.subscriptions import Subscriptions
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.concurrency.retry import RetryPolicy
from antiphon_server.runtime.concurrency.retry_policies import TURN
from antiphon_server.runtime.errors import DomainError, not_found
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.storage.database import Database
from tests.dispatcher.stand_ins import Told
from tests.e2e.until import SOON_S
from tests.fakes.databases import opened_sqlite

if TYPE_CHECKING:
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub

CONVERSATION = ConversationId("conv_00000001")
TABLES = (metadata, events_metadata)
ANNA = Principal("user", UserId("user_anna"), SessionId("sess_1"))


class Open:
    """Lets everybody read, and post unless ``closed``; those who are ``gone`` have no role."""

    closed = False

    def __init__(self) -> None:
        self.gone: set[str] = set()

    async def check_write(self, principal: Principal, conversation_id: ConversationId) -> None:
        if self.closed:
            raise not_found(conversation_id)

    async def check_read(self, principal: Principal, scope: str) -> None:
        return

    async def check_role(
        self, principal: Principal, conversation_id: str, *, admin: bool, reads: bool = False
    ) -> None:
        if principal.actor in self.gone:
            raise not_found(conversation_id)

    async def verify(self, access_token: str) -> Principal:
        return ANNA


@dataclass
class Known:
    """The conversations that there are."""

    views: dict[ConversationId, ConversationView] = field(default_factory=dict)

    async def get(self, conversation_id: ConversationId) -> ConversationView:
        if conversation_id not in self.views:
            raise not_found(conversation_id)
        return self.views[conversation_id]

    async def heard(
        self, conversation_id: ConversationId, principal: Principal, content: bytes
    ) -> ConversationView:
        """Nobody detects anything."""
        return await self.get(conversation_id)

    async def screened(
        self,
        view: ConversationView,
        author: str,
        turn_id: TurnId,
        content: bytes,
        *,
        holds: bool = False,
    ) -> Left:
        """There are no filters."""
        return Left(content)

    async def screened_words(
        self, view: ConversationView, author: str, turn_id: TurnId, words: Words
    ) -> Sequence[str]:
        """There are no filters."""
        return [said for said, _ in words]


@dataclass
class World:
    """Everything that a test of turns touches."""

    log: EventLog
    database: Database
    log_store: SqlLogStore
    events: "EventServiceAsyncStub"
    store: TurnStore
    known: Known
    door: Open
    told: Told
    fragile: Told
    admission: Admission
    turns: Turns
    decisions: Decisions
    answers: Answers
    handoffs: Handoffs
    queue: SqlHandoffQueue
    recovery: Recovery
    leases: Leases
    adoptions: Adoptions
    tasks: set["asyncio.Task[None]"]

    async def dispatch(
        self,
        number: int = 1,
        handler: str = "told",
        policy: Policy = Policy.UNSPECIFIED,
        text: str = "hello big world",
        time_limit_s: float = 60.0,
    ) -> StoredTurn:
        """Dispatch turn ``number``."""
        order = Order(content(text), handler, policy, time_limit_s=time_limit_s)
        digest = f"{handler}{policy}{text}".encode()
        return await self.turns.dispatch(ANNA, CONVERSATION, turn_id(number), order, digest)

    async def cancel(self, number: int = 1) -> StoredTurn:
        """Cancel turn ``number``."""
        return await self.turns.cancel(CONVERSATION, turn_id(number), ANNA.actor)

    async def adopted(self, *, own: bool = True) -> int:
        """Take orphaned turns in hand, as at a start; returns how many there were."""
        count = await self.leases.adopt_orphans(own=own)
        await self.adoptions.all_settled()
        return count

    async def ended(self, number: int = 1) -> StoredTurn:
        """Wait until the turn has ended and is stored so."""
        async with asyncio.timeout(SOON_S):
            while True:
                turn = await self.store.get(CONVERSATION, turn_id(number))
                if turn is not None and turn.state.ended:
                    return turn
                await asyncio.sleep(0.001)

    async def failed(self, number: int = 1, state: State = State.FAILED) -> DomainError:
        """Wait until the turn has ended so; why it did."""
        turn = await self.ended(number)
        assert turn.state is state
        assert turn.outcome is not None
        assert turn.outcome.error is not None
        return turn.outcome.error

    async def state(self, number: int, state: State) -> None:
        """Wait until the turn is in ``state``."""
        async with asyncio.timeout(SOON_S):
            while True:
                turn = await self.turns.get(CONVERSATION, turn_id(number))
                if turn.state is state:
                    return
                await asyncio.sleep(0.001)

    async def delivered(self, text: str) -> None:
        """Wait until the log has a delta that ends with ``text``."""
        async with asyncio.timeout(SOON_S):
            while True:
                deltas = [e.text_delta_appended.text for e in await self.history()]
                if any(delta.endswith(text) for delta in deltas):
                    return
                await asyncio.sleep(0.001)

    async def seen(self, kind: str) -> None:
        """Wait until the log has an event of that kind."""
        async with asyncio.timeout(SOON_S):
            while True:
                if kind in await self.kinds():
                    return
                await asyncio.sleep(0.001)

    async def said(self, text: str, handler: str = "told") -> None:
        """Dispatch a turn whose handler, which goes on, has said ``text`` so far."""
        await self.dispatch(handler=handler)
        (self.told if handler == "told" else self.fragile).say(text)
        await self.delivered(text)

    async def let_go(self, number: int, handler: Told) -> None:
        """Let the handler write until nobody here works on the turn any more."""
        (task,) = (task for task in self.tasks if task.get_name() == f"turn {turn_id(number)}")
        async with asyncio.timeout(SOON_S):
            while not task.done():
                handler.say("late ")
                await asyncio.sleep(0.01)

    async def arrange(self, turn: Turn) -> None:
        """Store a turn as no rule would let anybody store it."""
        await self.database.write(lambda it: it.execute(_REPLACE, to_row(turn)))

    async def history(self) -> list[event_pb2.Event]:
        """Return the conversation's log."""
        request = event_service_pb2.ReadEventsRequest(
            scope=f"conversations/{CONVERSATION}", page_size=1000
        )
        events: list[event_pb2.Event] = []
        while True:
            page = await self.events.ReadEvents(request)
            events.extend(page.events)
            if page.at_head:
                return events
            request.cursor = page.cursor

    async def kinds(self, number: int | None = None) -> list[str]:
        """Return the kinds of the log's events, of one turn or of all."""
        wanted = turn_id(number) if number else None
        return [
            str(event.WhichOneof("payload"))
            for event in await self.history()
            if wanted in (None, event.turn_id)
        ]

    async def messages(self) -> list[tuple[str, bool]]:
        """Return the posted messages: text and whether truncated."""
        return [
            (event.message_posted.message.parts[0].text, event.message_posted.message.truncated)
            for event in await self.history()
            if event.HasField("message_posted")
        ]


@asynccontextmanager
async def _new_unless(database: Database | None) -> AsyncIterator[Database]:
    """That one, or one with the tables of dispatcher and log."""
    if database is not None:
        yield database
        return
    async with opened_sqlite(*TABLES) as opened:
        yield opened


_REPLACE = insert(rows).prefix_with("OR REPLACE")


def turn_id(number: int) -> TurnId:
    return TurnId(f"turn_{number:08}")


def a_turn(number: int = 1, **changes: object) -> Turn:
    """Anna's to the handler ``echo``, created ``number`` microseconds after the epoch."""
    order = Order(b"", "echo", Policy.QUEUE)
    it = Turn(turn_id(number), CONVERSATION, ANNA.actor, number, b"", order)
    return replace(it, **changes)  # type: ignore[arg-type]


def content(text: str) -> bytes:
    posted = event_pb2.MessagePosted()
    posted.message.parts.add(text=text)
    return posted.SerializeToString()


def looking(it: World) -> tuple[asyncio.Event, asyncio.Event]:
    """Events: somebody has looked how far a turn got; and what lets them go on."""
    journal = it.recovery._journal
    look, looked, go_on = journal.past, asyncio.Event(), asyncio.Event()

    async def slowly(turn: Turn, cursor: str) -> Past:
        past = await look(turn, cursor)
        looked.set()
        await go_on.wait()
        return past

    journal.past = slowly  # type: ignore[method-assign]
    return looked, go_on


@asynccontextmanager
async def world(
    database: Database | None = None,
    log: EventLog | None = None,
    store: TurnStore | None = None,
    more: Sequence[Handler] = (),
    clock: Callable[[], float] = time.time,
    limits: TurnLimits = TurnLimits(),  # noqa: B008 - frozen
    shares: Shares | None = None,
    timeout_s: float = 30.0,
    node: str = "node",
    log_elsewhere: bool = False,
    journal_policy: RetryPolicy = TURN,
    routes: RoutesTurns | None = None,
    masks: Masks | None = None,
) -> AsyncIterator[World]:
    """Make a dispatcher; on ``database`` and ``log`` of another one, as after a restart.

    With another ``node`` it is one beside it. ``store`` keeps the turns, if something is the
    matter with it. ``log_elsewhere``: as if the log were in another process.
    """
    tasks: set[asyncio.Task[None]] = set()

    def spawn(name: str, coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(coroutine, name=name)
        tasks.add(task)
        return task

    async with _new_unless(database) as database:
        own = SqlTurnStore(database)
        kept = store or own
        log_store = SqlLogStore(database)
        own_log = log or EventLog(log_store)
        if log is None:
            spawn("log", own_log.run())
        server = LocalServer([ErrorInterceptor()])
        add_EventServiceServicer_to_server(
            EventServicer(own_log, Subscriptions(Open(), Shares())), server
        )
        events = EventServiceStub(server.channel())
        journal = EventLogJournal(events, timeout_s, elsewhere=log_elsewhere, policy=journal_policy)
        known = Known({CONVERSATION: ConversationView(CONVERSATION, "ws_00000001")})
        told, fragile = Told("told", LossPolicy.RESUME), Told("fragile", LossPolicy.FAIL)
        handlers = Handlers([told, fragile, Echo(text_of, gap_s=0.0), *more])
        queue = SqlHandoffQueue(database)
        handing = HandingOff(journal, queue, clock)
        asking = handing, Choosing(result_of)
        runner = Runner(kept, journal, node, 15.0, shares or Shares(), *asking, clock, masks=masks)
        lanes = Lanes()
        admission = Admission(kept, handlers, lanes, limits)
        made_of = kept, journal, handlers, runner, lanes
        execution = Execution(*made_of, spawn, limits, admission, known)
        recovery = Recovery(*made_of, execution)
        door = Open()
        parts = (runner, lanes, execution, recovery, limits, admission)
        turns = Turns(kept, journal, known, door, handlers, *parts, routes)
        adoptions = Adoptions(recovery, lanes)
        leases = Leases(kept, lanes, adoptions, node, clock=clock)
        try:
            yield World(
                own_log,
                database,
                log_store,
                events,
                kept,
                known,
                door,
                told,
                fragile,
                admission,
                turns,
                Decisions(kept, journal, lanes),
                Answers(kept, journal, lanes),
                Handoffs(kept, journal, lanes, queue, handlers, door),
                queue,
                recovery,
                leases,
                adoptions,
                tasks,
            )
        finally:
            async with asyncio.timeout(SOON_S):
                await adoptions.close()
                await turns.drain(0.0)
                if log is None:
                    own_log.close()
                await asyncio.gather(*tasks, return_exceptions=True)
                await own.close()
