"""Turns on their way from who lost them into this server's hands."""

import asyncio
from collections.abc import Collection, Sequence
from itertools import islice

from antiphon_server.dispatcher.lane import Lanes
from antiphon_server.dispatcher.model import ConversationId, State, Turn, TurnId
from antiphon_server.dispatcher.recovery import Recovery
from antiphon_server.runtime.concurrency.tasks import TaskSet
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.telemetry.structured import structlog

AT_ONCE = 8

log = structlog.get_logger(__name__)


class Adoptions:
    """Goes on with turns that were claimed, each conversation's in a task of its own.

    Eight conversations at once, and those that somebody waits for. Nobody's cancellation
    leaves any of them behind.
    """

    def __init__(self, recovery: Recovery, lanes: Lanes) -> None:
        self._recovery = recovery
        self._lanes = lanes
        self._claimed: dict[ConversationId, dict[TurnId, Turn]] = {}
        self._under_way: dict[ConversationId, asyncio.Task[None]] = {}
        self._tasks = TaskSet()

    @property
    def turn_ids(self) -> set[TurnId]:
        """Those that were claimed, and are not in hand yet."""
        return {turn_id for turns in self._claimed.values() for turn_id in turns}

    def begin(self, claimed: Sequence[Turn]) -> int:
        """Go on with turns of which this node has the leases; returns how many were not in hand."""
        new = [turn for turn in claimed if not self._has(turn)]
        for turn in new:
            self._claimed.setdefault(turn.conversation_id, {})[turn.turn_id] = turn
        self._begin_some()
        return len(new)

    async def settled(self, conversation_id: ConversationId) -> None:
        """Return when no turns of the conversation wait for being taken in hand."""
        if conversation_id in self._claimed:
            await asyncio.wait([self._under_way.get(conversation_id) or self._go(conversation_id)])

    async def all_settled(self) -> None:
        """Return when all that were claimed are in hand."""
        while self._under_way:
            await asyncio.wait(self._under_way.values())

    def let_go(self, turn_ids: Collection[TurnId]) -> None:
        """Leave alone those that others have by now."""
        for turns in self._claimed.values():
            for turn_id in turns.keys() & turn_ids:
                del turns[turn_id]

    async def close(self) -> None:
        """Begin nothing more; what was not taken in hand is left to the next start."""
        self._claimed.clear()
        await self._tasks.stop()

    def _has(self, turn: Turn) -> bool:
        in_hand = self._lanes.find(turn.conversation_id, turn.turn_id) is not None
        return in_hand or turn.turn_id in self._claimed.get(turn.conversation_id, {})

    def _begin_some(self) -> None:
        free = max(0, AT_ONCE - len(self._under_way))
        waiting = (it for it in self._claimed if it not in self._under_way)
        for conversation_id in list(islice(waiting, free)):
            self._go(conversation_id)

    def _go(self, conversation_id: ConversationId) -> "asyncio.Task[None]":
        work = self._adopt_all(conversation_id, self._claimed[conversation_id])
        task = self._tasks.spawn(f"turns of {conversation_id} adopted", work)
        self._under_way[conversation_id] = task
        return task

    async def _adopt_all(self, conversation_id: ConversationId, turns: dict[TurnId, Turn]) -> None:
        # A queued turn waits for those that run, also if the clock was set back between them.
        while turns:
            turn = min(turns.values(), key=lambda turn: turn.state is State.QUEUED)
            await self._adopt(turn)
            turns.pop(turn.turn_id, None)
        self._claimed.pop(conversation_id, None)
        del self._under_way[conversation_id]
        self._begin_some()

    async def _adopt(self, turn: Turn) -> None:
        try:
            await self._recovery.adopt(turn)
        except DomainError as error:
            log.warning("a turn was not adopted", turn_id=turn.turn_id, why=error.reason)
        except Exception:
            # Its lease runs out, and it is tried again; the others must not wait for it.
            log.exception("a turn could not be adopted", turn_id=turn.turn_id)
