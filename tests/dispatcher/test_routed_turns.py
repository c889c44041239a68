"""Turns whose handlers are found for them: each is decided once, whatever happens to it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from antiphon.events.v1.route_pb2 import ROUTE_OUTCOME_RULE, RouteDecision
from antiphon_server.dispatcher.adapters.row import to_row
from antiphon_server.dispatcher.handling import (
    Child,
    HandlerInfo,
    LossPolicy,
    Order,
    PastCall,
    Work,
)
from antiphon_server.dispatcher.model import ConversationView, Policy, Posted, State, Turn
from antiphon_server.dispatcher.routed_model import Routed
from antiphon_server.runtime.errors import Reason
from tests.dispatcher.world import ANNA, CONVERSATION, World, a_turn, content, turn_id, world
from tests.e2e.refusals import Refused

CONVERSATION_VIEW = ConversationView(CONVERSATION, "ws_00000001")


@dataclass
class Rules:
    """One rule, which names a handler; its revision is how often it was asked."""

    handler: str = "echo"
    asked: list[Posted] = field(default_factory=list)

    async def route(self, posted: Posted) -> Routed | None:
        self.asked.append(posted)
        decision = RouteDecision(
            handler=self.handler,
            outcome=ROUTE_OUTCOME_RULE,
            parent="global",
            revision=len(self.asked),
            rule="all",
        )
        return Routed(self.handler, decision.SerializeToString())


@pytest.fixture
def rules() -> Rules:
    return Rules()


@pytest.fixture
async def routed(rules: Rules) -> AsyncIterator[World]:
    async with world(routes=rules) as it:
        yield it


def _revision(turn: object) -> int:
    assert isinstance(turn, Turn)
    return RouteDecision.FromString(turn.order.route).revision


async def _told(it: World) -> list[RouteDecision]:
    """The decisions that the log has."""
    return [e.turn_accepted.route for e in await it.history() if e.HasField("turn_accepted")]


async def test_a_repeated_dispatch_is_the_turn_that_was_decided(
    routed: World, rules: Rules
) -> None:
    """Whatever the rules say by now, and whether or not anybody serves what they name."""
    await routed.dispatch(handler="")
    first = await routed.ended()
    for now in ("told", "nobody", "echo"):
        rules.handler = now
        again = await routed.dispatch(handler="")
        assert (again, _revision(again)) == (first, 1)
    assert [it.revision for it in await _told(routed)] == [1]
    with Refused(Reason.REQUEST_ID_REUSED):
        await routed.dispatch(handler="", text="something else")


async def test_a_named_handler_that_has_gone_is_no_matter_for_a_turn_that_came(
    it: World,
) -> None:
    """Only what is new is refused."""
    async with world(it.database, it.log, more=[_Asks()]) as before:
        await before.dispatch(handler="asks")
        first = await before.ended()
    assert await it.dispatch(handler="asks") == first
    with Refused(Reason.HANDLER_NOT_FOUND):
        await it.dispatch(7, handler="asks")


async def test_whose_server_died_before_it_was_posted_is_decided_no_second_time(
    it: World, rules: Rules
) -> None:
    """The next one says in the log what was decided then, though rules are others by now."""
    decided = await rules.route(Posted(CONVERSATION_VIEW, ANNA.actor, content("hello")))
    assert decided is not None
    order = Order(content("hello"), "echo", Policy.QUEUE, route=decided.decision)
    running = {"node": "node", "state": State.RUNNING, "attempt": 1, "at_once": True}
    await it.store.add(a_turn(7, order=order, **running))
    rules.handler = "fragile"
    async with world(it.database, it.log, routes=rules) as next_life:
        await next_life.adopted()
        assert _revision(await next_life.ended(7)) == 1
        assert await _told(next_life) == [RouteDecision.FromString(decided.decision)]


async def test_whose_server_died_before_it_knew_that_it_was_posted_is_posted_once(
    routed: World, rules: Rules
) -> None:
    """Who says it again says the very same: the log takes no other by that name."""
    rules.handler = "told"
    await routed.dispatch(handler="")
    await routed.turns.drain(0.0)
    stored = await routed.store.get(CONVERSATION, turn_id(1))
    assert isinstance(stored, Turn)
    await routed.arrange(replace(stored, cursor=""))
    rules.handler = "echo"
    async with world(routed.database, routed.log, routes=rules) as next_life:
        await next_life.adopted()
        next_life.told.say(None)
        turn = await next_life.ended()
        assert (turn.state, _revision(turn)) == (State.SUCCEEDED, 1)
        assert [it.handler for it in await _told(next_life)] == ["told"]


async def test_a_turn_of_an_older_server_has_no_decision(routed: World) -> None:
    """It is read, and gone on with."""
    order = Order(content("hello"), "echo", Policy.QUEUE)
    row = to_row(a_turn(7, order=order, node="node", state=State.RUNNING, attempt=1))
    assert b"route" not in row["order_json"]
    await routed.arrange(a_turn(7, order=order, node="node", state=State.RUNNING, attempt=1))
    await routed.adopted()
    assert (await routed.ended(7)).state is State.SUCCEEDED
    (accepted,) = [e.turn_accepted for e in await routed.history() if e.HasField("turn_accepted")]
    assert not accepted.HasField("route")


async def test_who_is_named_is_asked_of_no_rule(routed: World, rules: Rules) -> None:
    turn = await routed.dispatch(handler="echo")
    assert isinstance(turn, Turn)
    assert (turn.order.route, rules.asked) == (b"", [])


class _Asks:
    """Asks for a turn of the default handler, and for one of a named one."""

    info = HandlerInfo("asks", "", LossPolicy.FAIL)

    async def check(self, order: Order, workspace_id: str) -> None:
        """It takes anything."""

    async def lost(self, turn: Turn, text: str, calls: Sequence[PastCall]) -> None:
        """It has nothing elsewhere."""

    async def run(self, work: Work) -> None:
        if work.turn.order.parent is None and b"children" in work.turn.order.content:
            for number, handler in ((8, "echo"), (9, "asks")):
                await work.delegate(Child(turn_id(number), handler, content("go"), 60.0))


async def test_what_a_turn_asks_for_is_asked_of_no_rule(rules: Rules) -> None:
    """Its handler is the one that is named."""
    rules.handler = "asks"
    async with world(more=[_Asks()], routes=rules) as it:
        await it.dispatch(handler="", text="children")
        await it.ended()
        children = [await it.ended(number) for number in (8, 9)]
    assert [c.order.handler for c in children if isinstance(c, Turn)] == ["echo", "asks"]
    assert [c.order.route for c in children if isinstance(c, Turn)] == [b"", b""]
    assert len(rules.asked) == 1
