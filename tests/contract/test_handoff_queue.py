"""Every store shows what waits for people."""

from dataclasses import replace

import pytest

from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.dispatcher.adapters.sql_handoffs import SqlHandoffQueue
from antiphon_server.dispatcher.adapters.tables import metadata
from antiphon_server.dispatcher.handoff_model import Handoff, HandoffRole, Otherwise, QueuedHandoff
from antiphon_server.dispatcher.model import ConversationId, Order, Outcome, Policy, State, TurnId
from antiphon_server.dispatcher.model import Turn as TurnRow
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, metadata)
HERE, OURS = ConversationId("conv_00000001"), "ws_00000001"


def turn(number: int) -> TurnRow:
    """One that runs."""
    turn_id = TurnId(f"turn_0000000{number}")
    order = Order(b"said", "people", Policy.QUEUE)
    made = TurnRow(turn_id, HERE, "users/user_00000ann", number, b"digest", order, OURS)
    return replace(made, state=State.RUNNING, node="node", attempt=1)


def queued(number: int, workspace_id: str = OURS) -> QueuedHandoff:
    """What waits of it."""
    it = turn(number)
    otherwise = Otherwise(text="closed") if number % 2 else Otherwise(handler="echo")
    handoff_id = f"hand_0000000{number}_1"
    handoff = Handoff(
        handoff_id, "why", HandoffRole.ADMIN, "handlers/people", number, 10 + number, otherwise
    )
    where = workspace_id, it.conversation_id, it.turn_id
    of_turn = it.message_id, "people", it.creator
    return QueuedHandoff(handoff, *where, *of_turn, "Refunds", "May I?", {it.creator: "Anna"})


@pytest.fixture
def turns(database: Database) -> SqlTurnStore:
    return SqlTurnStore(database)


@pytest.fixture
def queue(database: Database) -> SqlHandoffQueue:
    return SqlHandoffQueue(database)


async def test_what_waits_is_listed_the_oldest_first_page_by_page(
    turns: SqlTurnStore, queue: SqlHandoffQueue
) -> None:
    for number in (3, 1, 2):
        await turns.add(turn(number))
        await queue.put(queued(number))
    assert await queue.list(OURS, (0, ""), 2) == [queued(1), queued(2)]
    assert await queue.list(OURS, (2, "hand_00000002_1"), 2) == [queued(3)]
    assert await queue.list("ws_00000002", (0, ""), 2) == []


async def test_a_claim_replaces_what_is_shown(turns: SqlTurnStore, queue: SqlHandoffQueue) -> None:
    await turns.add(turn(1))
    await queue.put(queued(1))
    taken = replace(queued(1).handoff, claimed_by="users/user_00000bob", claimed_us=7)
    claimed = replace(queued(1), handoff=taken)
    await queue.put(claimed)
    assert await queue.list(OURS, (0, ""), 9) == [claimed]
    await queue.remove(turn(1))
    assert await queue.list(OURS, (0, ""), 9) == []


async def test_what_was_left_of_a_turn_that_has_ended_is_not_shown(
    turns: SqlTurnStore, queue: SqlHandoffQueue
) -> None:
    """Its server may have died before it took it away."""
    await turns.add(turn(1))
    await queue.put(queued(1))
    await turns.put(turn(1).ended(Outcome(State.CANCELLED), 9, has_reply=False))
    assert await queue.list(OURS, (0, ""), 9) == []


async def test_a_turn_remembers_who_it_was_given_to(turns: SqlTurnStore) -> None:
    """Beside its order, which never changes: a server of before keeps that as it is."""
    await turns.add(turn(1))
    given = replace(
        turn(1), returned="hand_00000001_1 echo", order=Order(b"said", "echo", Policy.QUEUE)
    )
    await turns.put(given)
    found = await turns.get(HERE, turn(1).turn_id)
    assert isinstance(found, TurnRow)
    assert (found.order.handler, found.returned) == ("echo", given.returned)
