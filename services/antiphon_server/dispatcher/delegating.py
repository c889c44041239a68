"""Turns that turns ask for: begun once, in their conversation, and waited for."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import TypeAlias

from antiphon_server.dispatcher.admission import Admission
from antiphon_server.dispatcher.handlers.registry import Handlers
from antiphon_server.dispatcher.lane import ActiveTurn, Lane, Lanes
from antiphon_server.dispatcher.model import (
    Child,
    ChildEnd,
    ConversationView,
    Order,
    Parent,
    Policy,
    State,
    StoredTurn,
    Tombstone,
    Turn,
    TurnId,
)
from antiphon_server.dispatcher.outages import patiently
from antiphon_server.dispatcher.ports import FilteredConversations, Journal, TurnStore
from antiphon_server.runtime.errors import DomainError, Reason

MOST_DEEP = 4
"""A turn that a caller asked for is the first."""
LOOK_S = 0.05

Accept: TypeAlias = Callable[[Lane, Turn, Policy], Awaitable[StoredTurn]]


class Delegating:
    """Begins turns for turns.

    A child's id is made by who asks for it, so one that was begun before, and perhaps has ended, is
    met again. It runs beside its parent, and is stopped when that ends.
    """

    def __init__(
        self,
        accept: Accept,
        store: TurnStore,
        journal: Journal,
        conversations: FilteredConversations,
        handlers: Handlers,
        lanes: Lanes,
        admission: Admission,
    ) -> None:
        self._accept, self._store, self._journal = accept, store, journal
        self._conversations, self._handlers = conversations, handlers
        self._lanes, self._admission = lanes, admission

    async def run(self, parent: Turn, child: Child, now_us: int) -> ChildEnd:
        """Begin the child, unless that was done, and wait until it has ended.

        Raises DomainError HANDLER_NOT_FOUND, CONVERSATION_ARCHIVED, LIMIT_EXCEEDED,
        CONTENT_BLOCKED, FILTER_UNAVAILABLE, what the handler says of its parts, and
        REQUEST_ID_REUSED: an id can be worked out, and one that is not the parent's child went by
        it.
        """
        turn = await self._known(parent, child) or await self._begun(parent, child, now_us)
        if not _is_child(turn, parent):
            raise DomainError(Reason.REQUEST_ID_REUSED, request_id=child.turn_id)
        while not turn.state.ended:
            turn = await self._next_state(turn)
        return await self._end_of(turn)

    async def _known(self, parent: Turn, child: Child) -> StoredTurn | None:
        active = self._lanes.find(parent.conversation_id, child.turn_id)
        if active is not None:
            return active.turn
        return await self._store.get(parent.conversation_id, child.turn_id)

    async def _begun(self, parent: Turn, child: Child, now_us: int) -> StoredTurn:
        turn = _turn_of(parent, child, now_us)
        await self._handlers.check(turn.workspace_id, child.handler)
        view = await patiently(lambda: self._conversations.get(turn.conversation_id))
        turn = await self._screened(view, turn)
        async with self._lanes.of(turn.conversation_id) as lane:
            active = lane.turns.get(turn.turn_id)
            if active is not None:  # it came meanwhile
                return active.turn
            known = await self._admission.known_or_admitted(lane, turn, view)
            return known or await self._accept(lane, turn, turn.order.policy)

    async def _screened(self, view: ConversationView, turn: Turn) -> Turn:
        """The turn with what filters leave of its message."""
        if not view.filtered:
            return replace(turn, filtered=False)
        said = turn.asker, turn.turn_id, turn.order.content
        left = await self._conversations.screened(view, *said)
        return replace(turn, order=replace(turn.order, content=left.content))

    async def _next_state(self, turn: StoredTurn) -> StoredTurn:
        """The turn when something has changed: it may be on its way into this server's hands."""
        active = self._lanes.find(turn.conversation_id, turn.turn_id)
        if active is not None:
            await active.done.wait()
            if active.turn.state.ended:
                return active.turn
        await asyncio.sleep(LOOK_S)
        return await self._store.get(turn.conversation_id, turn.turn_id) or turn

    async def _end_of(self, turn: StoredTurn) -> ChildEnd:
        if isinstance(turn, Tombstone):
            return ChildEnd("", succeeded=False)
        text = await self._journal.answer(turn) if turn.has_reply else ""
        error = turn.outcome.error if turn.outcome is not None else None
        return ChildEnd(text, turn.state is State.SUCCEEDED, error)


def stop_under(turns: Iterable[ActiveTurn], turn_id: TurnId) -> None:
    """Stop what was asked for by a turn that has ended, or is to end, and all below, at once.

    Level by level, each would wait until the end of the one above is committed.
    """
    asked_by = defaultdict[TurnId, list[ActiveTurn]](list)
    for active in turns:
        if active.turn.order.parent is not None:
            asked_by[active.turn.order.parent.turn_id].append(active)
    above = [turn_id]
    while above:
        for active in asked_by.pop(above.pop(), ()):
            active.stop()
            above.append(active.turn.turn_id)


def _is_child(turn: StoredTurn, parent: Turn) -> bool:
    if isinstance(turn, Tombstone):  # stopped before it came: it says nothing
        return True
    asked_by = turn.order.parent
    return asked_by is not None and asked_by.turn_id == parent.turn_id


def _turn_of(parent: Turn, child: Child, now_us: int) -> Turn:
    """Raises DomainError LIMIT_EXCEEDED."""
    depth = parent.order.parent.depth + 1 if parent.order.parent else 1
    if depth >= MOST_DEEP:
        raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_DEEP} turns deep")
    order = Order(
        child.content,
        child.handler,
        Policy.PARALLEL,
        parent.order.models,
        parent.order.max_output_tokens,
        child.time_limit_s,
        child.kinds,
        parent=Parent(parent.turn_id, parent.order.handler, depth),
    )
    return replace(
        Turn(child.turn_id, parent.conversation_id, parent.creator, now_us, b"", order),
        workspace_id=parent.workspace_id,
        api_keys=parent.api_keys,
    )
