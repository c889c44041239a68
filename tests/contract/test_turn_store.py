"""Every turn store keeps the same promises."""

from dataclasses import replace

import pytest

from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.dispatcher.adapters.tables import metadata
from antiphon_server.dispatcher.model import (
    ConversationId,
    Held,
    Order,
    Outcome,
    Policy,
    State,
    Tombstone,
    Turn,
    TurnId,
    Usage,
)
from antiphon_server.dispatcher.ports import TurnStore
from antiphon_server.dispatcher.routed_model import Asks, Chosen, Offer, Routed
from antiphon_server.runtime.errors import DomainError, FieldViolation, Reason
from antiphon_server.runtime.errors.wire import status_of
from tests.e2e.refusals import Refused
from tests.fakes.databases import on_each_kind

CONVERSATION = ConversationId("conv_00000001")


store = on_each_kind(SqlTurnStore, metadata)


def turn(number: int = 1, **changes: object) -> Turn:
    """Make a turn, created ``number`` microseconds after the epoch."""
    it = Turn(
        TurnId(f"turn_{number:08}"),
        CONVERSATION,
        "users/user_anna",
        number,
        b"digest",
        Order(b"hello", "echo", Policy.QUEUE, ("a/b", "c/d"), 77, 1.5),
        "ws_00000001",
    )
    return replace(it, **changes)  # type: ignore[arg-type]


async def stored(store: TurnStore, number: int = 1) -> Turn:
    """The turn as it is kept."""
    found = await store.get(CONVERSATION, TurnId(f"turn_{number:08}"))
    assert isinstance(found, Turn)
    return found


async def test_a_turn_is_read_back_whole(store: TurnStore) -> None:
    """Every field survives, at the beginning and at the end."""
    it = turn(
        api_keys=("key_1", "key_2"),
        node="n",
        lease_until_us=5,
        at_once=True,
        attempt=1,
        started_us=9,
    )
    await store.add(it)
    assert await store.get(CONVERSATION, it.turn_id) == it
    error = DomainError(Reason.MODEL_TIMEOUT, model="a/b", timeout_ms=3)
    outcome = Outcome(State.FAILED, error, Usage(1, 2, True, "USD", 3), "a/b", rolled_back=True)
    await store.put(it.ended(outcome, 42, has_reply=True))
    found = await stored(store)
    assert found.outcome is not None
    assert found.outcome.error is not None
    assert status_of(found.outcome.error) == status_of(error)
    assert replace(found.outcome, error=None) == replace(outcome, error=None)
    assert (found.state, found.ended_us, found.has_reply) == (State.FAILED, 42, True)


async def test_an_error_is_read_back_with_its_details(store: TurnStore) -> None:
    """Whoever asks later is told which field, and when to try again, as the log tells it."""
    violations = [FieldViolation("parts", "too large")]
    for error in (
        DomainError(Reason.INVALID_ARGUMENT, violations=violations),
        DomainError(Reason.OVERLOADED, retry_after=1.5),
    ):
        it = turn()
        await store.add(it)
        await store.put(it.ended(Outcome(State.FAILED, error), 42, has_reply=False))
        found = await stored(store)
        assert found.outcome is not None
        assert found.outcome.error is not None
        assert status_of(found.outcome.error) == status_of(error)


async def test_a_turn_that_fell_back_is_read_back_as_its_fallback_has_it(store: TurnStore) -> None:
    """Its order is kept as it was; who reads it sees who has it now, and why."""
    order = Order(b"hello", "expert", Policy.QUEUE, route=b"rule", fallback=Routed("echo", b"away"))
    it = turn(order=order, node="n", attempt=1)
    await store.add(it)
    assert await stored(store) == it
    order = Order(b"hello", "echo", Policy.QUEUE, route=b"away")
    fell_back = replace(it, order=order, fell_back=True, attempt=2)
    await store.put(fell_back)
    assert await stored(store) == fell_back
    await store.put(replace(fell_back, attempt=3))
    assert await store.list(CONVERSATION, None, 2) == [replace(fell_back, attempt=3)]
    (claimed,) = await store.claim("n", 50, 150, own=True)
    assert (claimed.order, claimed.fell_back) == (order, True)


@pytest.mark.parametrize(
    "chosen", [Chosen("law", "users/user_anna"), Chosen("", "users/x"), Chosen()]
)
async def test_a_turn_whose_asker_has_chosen_is_read_back_as_that_one_has_it(
    store: TurnStore, chosen: Chosen
) -> None:
    """Its order is kept as it was, with all that may be said; then the fallback may have it."""
    law = Offer("All about law.", Routed("law", b"chosen", Routed("general", b"away")))
    otherwise = Routed("general", b"unsure")
    found = Routed("general", b"asked", asks=Asks((law,), 60.0, otherwise))
    it = turn(order=Order(b"hello", "", Policy.QUEUE).routed(found), node="n", attempt=1)
    await store.add(it)
    assert await stored(store) == it
    has_it = replace(it.with_choice(chosen), attempt=2)
    assert has_it.order.handler == (chosen.handler or "general")
    await store.put(has_it)
    assert await stored(store) == has_it
    order = has_it.order.fallen_back()
    fell_back = replace(has_it, order=order, fell_back=order is not has_it.order, attempt=3)
    await store.put(fell_back)
    assert await stored(store) == fell_back


async def test_a_turn_that_is_held_is_read_back_with_why_and_for_whom(store: TurnStore) -> None:
    """Also when people have given it to a handler."""
    order = Order(b"hello", "echo", Policy.QUEUE, held=Held("it is odd")).to_people()
    it = turn(order=order, node="n", attempt=1)
    await store.add(it)
    assert await stored(store) == it
    assert (order.handler, order.held, order.waits_for_people) == (
        "people",
        Held("it is odd", "echo"),
        True,
    )
    await store.put(replace(it, returned="hand_1 echo"))
    given = (await stored(store)).order
    assert (given.handler, given.held.reason, given.waits_for_people) == (
        "echo",
        "it is odd",
        False,
    )


async def test_a_tombstone_has_no_order(store: TurnStore) -> None:
    """A turn cancelled before it came is kept without content."""
    stone = Tombstone(TurnId("turn_00000001"), CONVERSATION, "users/user_anna", 1)
    await store.add(stone)
    assert await store.get(CONVERSATION, stone.turn_id) == stone
    came = replace(stone, digest=b"digest", workspace_id="ws_00000001", cursor="c")
    await store.put(came)
    assert await store.add(turn()) == came
    assert await store.list(CONVERSATION, None, 2) == [came]
    assert await store.claim("me", 50, 150, own=True) == []


async def test_the_first_to_add_wins(store: TurnStore) -> None:
    """Adding again returns what is there."""
    first = await store.add(turn(creator="users/user_anna"))
    second = await store.add(turn(creator="users/user_eve"))
    assert first == second
    assert second.creator == "users/user_anna"


async def test_an_unknown_turn_is_none(store: TurnStore) -> None:
    """Also when the id exists in another conversation."""
    await store.add(turn(1))
    assert await store.get(ConversationId("conv_00000002"), TurnId("turn_00000001")) is None


async def test_a_turns_id_is_known_to_have_come_from_its_creator(store: TurnStore) -> None:
    """In whichever conversation; others may use the same id."""
    await store.add(turn())
    assert await store.came("users/user_anna", TurnId("turn_00000001"))
    assert not await store.came("users/user_anna", TurnId("turn_00000002"))
    assert not await store.came("users/user_ben", TurnId("turn_00000001"))


async def test_turns_are_listed_newest_first_by_pages(store: TurnStore) -> None:
    """Pages neither overlap nor skip; other conversations' turns are not in them."""
    for number in (2, 1, 3, 5, 4):
        await store.add(turn(number))
    await store.add(turn(9, conversation_id=ConversationId("conv_00000002")))
    page = await store.list(CONVERSATION, None, 2)
    rest = await store.list(CONVERSATION, (page[-1].created_us, page[-1].turn_id), 10)
    assert [it.created_us for it in [*page, *rest]] == [5, 4, 3, 2, 1]


async def test_only_orphans_are_claimed(store: TurnStore) -> None:
    """Expired leases are taken over, one's own at the start, oldest first; ended ones never."""
    ended = turn(4).ended(Outcome(State.SUCCEEDED), 1, has_reply=True)
    for it in (
        turn(1, node="other", lease_until_us=100),
        turn(3, node="other", lease_until_us=10),
        turn(2, node="me", lease_until_us=100),
        ended,
    ):
        await store.add(it)
    expired = await store.claim("me", 50, 150, own=False)
    assert [it.created_us for it in expired] == [3]
    own = await store.claim("me", 50, 160, own=True)
    assert [it.created_us for it in own] == [2, 3]
    found = await stored(store, 3)
    assert (found.node, found.lease_until_us) == ("me", 160)


async def test_only_leases_still_held_are_renewed(store: TurnStore) -> None:
    """A turn that another node took or that ended is not returned."""
    await store.add(turn(1, node="me", lease_until_us=10))
    await store.add(turn(2, node="other", lease_until_us=10))
    ids = [TurnId("turn_00000001"), TurnId("turn_00000002")]
    assert await store.renew("me", ids, 99) == {ids[0]}
    assert (await stored(store, 2)).lease_until_us == 10


async def test_only_who_holds_a_turn_replaces_it(store: TurnStore) -> None:
    """Not who had it before, nor an earlier attempt, nor anybody who would revive it."""
    held = turn(node="me", lease_until_us=10, attempt=2)
    await store.add(held)
    for late in (replace(held, node="other"), replace(held, attempt=1)):
        with Refused(Reason.FENCED):
            await store.put(late)
    ended = held.ended(Outcome(State.SUCCEEDED), 42, has_reply=True)
    await store.put(ended)
    with Refused(Reason.FENCED):
        await store.put(replace(held, cancel_requested=True))
    assert await store.get(CONVERSATION, held.turn_id) == ended


async def test_who_claims_a_turn_holds_it(store: TurnStore) -> None:
    """It is returned as it is leased now, and who had it can't replace it any more."""
    lost = turn(node="other", lease_until_us=10)
    await store.add(lost)
    (claimed,) = await store.claim("me", 50, 150, own=False)
    assert (claimed.node, claimed.lease_until_us) == ("me", 150)
    await store.put(replace(claimed, attempt=1))
    with Refused(Reason.FENCED):
        await store.put(replace(lost, attempt=5))
