"""The turns in hand, by conversation: who waits for whom, and why one is stopped."""

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from antiphon_server.dispatcher.handoff_model import HandoffOrder
from antiphon_server.dispatcher.model import ConversationId, Policy, Turn, TurnId
from antiphon_server.dispatcher.resting import Rest
from antiphon_server.dispatcher.tool_calls import ToolCalls
from antiphon_server.dispatcher.turn_handoffs import TurnHandoffs
from antiphon_server.runtime.errors import DomainError, Reason

LOOKS, LOOK_S = 10, 0.1


class Halt(Enum):
    """Why a turn in hand is being stopped."""

    NOT = auto()
    CANCELLED = auto()
    ROLLED_BACK = auto()
    ABANDONED = auto()


@dataclass(slots=True, eq=False)
class ActiveTurn:
    """A turn in this process: the task that brings it to its end, and how to stop it.

    ``done`` is set when its end is in the log, or when it was let go. ``has_slot``: it is
    one of those that may run at once.
    """

    turn: Turn
    task: asyncio.Task[None] | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)
    has_slot: bool = False
    halt: Halt = Halt.NOT
    calls: ToolCalls = field(default_factory=ToolCalls)
    rest: Rest | None = None
    handoffs: TurnHandoffs = field(default_factory=TurnHandoffs)
    _sealed: bool = False

    def stop(self, *, rolled_back: bool = False) -> None:
        """Cancel the turn; at its end, or once it was let go, that changes nothing."""
        if self._sealed or self.halt is Halt.ABANDONED:
            return
        first = self.halt is Halt.NOT
        if rolled_back:
            self.halt = Halt.ROLLED_BACK
        elif first:
            self.halt = Halt.CANCELLED
        if first and self.task is not None:
            self.task.cancel()

    def abandon(self) -> None:
        """Let go of the turn without ending it: the next holder of its lease goes on.

        A turn that somebody stops is brought to its end all the same.
        """
        if self._sealed or self.halt is not Halt.NOT:
            return
        self.halt = Halt.ABANDONED
        if self.task is not None:
            self.task.cancel()

    def seal(self) -> None:
        """Note that the handler is done: from here on the turn can't be stopped."""
        self._sealed = True

    def unseal(self) -> None:
        """Note that it can be stopped, all the same: what would have ended it failed."""
        self._sealed = False

    def hand_off(self, order: HandoffOrder) -> None:
        """Stop the handler, so that people go on with the turn."""
        if self.handoffs.wish(order) and self.task is not None:
            self.task.cancel()

    @property
    def goes_on(self) -> bool:
        """Whether nobody stops it, or lets go of it."""
        return self.halt is Halt.NOT

    @property
    def told(self) -> Turn:
        """The turn, and why it waits for people if it does."""
        waits = self.handoffs.open if not self.done.is_set() else None
        return replace(self.turn, handoff=waits) if waits is not None else self.turn

    def begin_again(self, turn: Turn) -> None:
        """Note that the turn's next attempt has begun."""
        self.turn = turn
        self.calls.begin_again()

    @property
    def rests(self) -> bool:
        """Whether nothing is done for it that another server could not go on with."""
        return self.rest is not None and self.rest.may_be_let_go

    @property
    def at_worker(self) -> bool:
        """Whether a worker has it."""
        return self.rest is not None and self.rest.at_worker

    @property
    def sealed(self) -> bool:
        """Whether it can't be stopped any more: its end is being committed, or is."""
        return self._sealed

    async def as_it_is(self) -> Turn:
        """Return the turn; while its end is being committed this waits for it.

        For a second at most, after which it is not ended yet: in short pieces, because a
        process that stood still must not take all of it for waited.
        """
        for _ in range(LOOKS):
            if not self._sealed or self.done.is_set():
                break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self.done.wait()
        return self.told

    @property
    def wanted(self) -> bool:
        """Whether somebody asked for its end."""
        return self.halt in (Halt.CANCELLED, Halt.ROLLED_BACK)

    @property
    def rolled_back(self) -> bool:
        """Whether its messages are left out of the context from now on."""
        return self.halt is Halt.ROLLED_BACK


@dataclass(slots=True)
class Lane:
    """One conversation. ``lock`` orders what is decided about its turns; ``users`` wait or hold."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    turns: dict[TurnId, ActiveTurn] = field(default_factory=dict)
    users: int = 0

    def before(self, policy: Policy) -> list[ActiveTurn]:
        """Those that a new turn of ``policy`` must wait for."""
        return [] if policy is Policy.PARALLEL else self.unfinished()

    def unfinished(self) -> list[ActiveTurn]:
        """Those whose end is not in the log yet, in the order they came."""
        return [active for active in self.turns.values() if not active.done.is_set()]

    def others(self, active: ActiveTurn) -> set[TurnId]:
        """The unfinished ones but ``active``."""
        return {it.turn.turn_id for it in self.unfinished() if it is not active}


class Lanes:
    """All conversations that have turns in hand, or about which something is decided."""

    def __init__(self) -> None:
        self._lanes: dict[ConversationId, Lane] = {}
        self._by_actor: Counter[str] = Counter()
        self._counted: set[ActiveTurn] = set()
        self._coming: set[ActiveTurn] = set()

    @asynccontextmanager
    async def of(
        self, conversation_id: ConversationId, *, most: float = math.inf
    ) -> AsyncIterator[Lane]:
        """Decide alone about a conversation's turns.

        Raises DomainError OVERLOADED if ``most`` wait for that already.
        """
        lane = self._lanes.setdefault(conversation_id, Lane())
        if lane.users > most:
            raise DomainError(Reason.OVERLOADED, resource="conversation", retry_after=0.5)
        lane.users += 1
        try:
            async with lane.lock:
                yield lane
        finally:
            lane.users -= 1
            self._release(conversation_id, lane)

    def find(self, conversation_id: ConversationId, turn_id: TurnId) -> ActiveTurn | None:
        """The turn, if it is in hand."""
        lane = self._lanes.get(conversation_id)
        return lane.turns.get(turn_id) if lane else None

    def among(self, conversation_id: ConversationId) -> dict[TurnId, ActiveTurn]:
        """The conversation's turns in hand."""
        lane = self._lanes.get(conversation_id)
        return dict(lane.turns) if lane else {}

    def coming(self) -> list[ActiveTurn]:
        """Those that are about to be stored."""
        return list(self._coming)

    def all(self) -> list[ActiveTurn]:
        """Every stored turn in hand."""
        return [active for lane in self._lanes.values() for active in lane.turns.values()]

    def is_busy(self, conversation_id: ConversationId) -> bool:
        """Whether somebody else decides about the conversation now."""
        lane = self._lanes.get(conversation_id)
        return lane is not None and lane.lock.locked()

    def of_actor(self, actor: str) -> int:
        """How many turns one has asked for that have not ended."""
        return self._by_actor[actor]

    def has(self, actor: str, turn_id: TurnId) -> bool:
        """Whether one has asked for that turn, in any conversation, and it has not ended."""
        those = (it.turn for it in self._counted if it.turn.turn_id == turn_id)
        return any(turn.creator == actor for turn in those)

    def ending(self, actor: str) -> list[ActiveTurn]:
        """Those of one that count still, but whose end may be in the log."""
        return [it for it in self._counted if it.sealed and it.turn.creator == actor]

    def begin(self, active: ActiveTurn) -> None:
        """Count a turn that is about to be stored; it is in hand, but in no lane yet."""
        self._coming.add(active)
        self._count(active)

    def add(self, lane: Lane, active: ActiveTurn) -> None:
        """Take a turn in hand, one that came or one that somebody else accepted."""
        self._count(active)
        self._coming.discard(active)
        lane.turns[active.turn.turn_id] = active

    def remove(self, lane: Lane, active: ActiveTurn) -> None:
        """Let the turn go."""
        turn = active.turn
        if lane.turns.get(turn.turn_id) is active:
            del lane.turns[turn.turn_id]
        self._coming.discard(active)
        self.ended(active)
        self._release(turn.conversation_id, lane)

    def ended(self, active: ActiveTurn) -> None:
        """Count the turn no more: its end is in the log, or it was let go."""
        if active not in self._counted:
            return
        self._counted.discard(active)
        self._by_actor[active.turn.creator] -= 1
        if not self._by_actor[active.turn.creator]:
            del self._by_actor[active.turn.creator]

    def _count(self, active: ActiveTurn) -> None:
        if active not in self._counted:
            self._counted.add(active)
            self._by_actor[active.turn.creator] += 1

    def _release(self, conversation_id: ConversationId, lane: Lane) -> None:
        if not lane.users and not lane.turns and self._lanes.get(conversation_id) is lane:
            del self._lanes[conversation_id]


def stop_all(turns: Iterable[ActiveTurn], policy: Policy) -> None:
    """Make way for a turn of ``policy``."""
    if policy in (Policy.INTERRUPT, Policy.ROLLBACK):
        for active in turns:
            active.stop(rolled_back=policy is Policy.ROLLBACK)
