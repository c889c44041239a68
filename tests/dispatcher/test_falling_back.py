"""Turns whose handlers vanish go on at the fallback that the rule names which chose them."""

from dataclasses import replace

import pytest

from antiphon.dispatcher.v1.turn_pb2 import Turn as TurnMessage
from antiphon.events.v1.route_pb2 import ROUTE_OUTCOME_AWAY, ROUTE_OUTCOME_RULE
from antiphon_server.dispatcher.encoding import turn_message
from antiphon_server.dispatcher.handling import (
    AttemptLost,
    LossPolicy,
    TurnAssigned,
    Vanished,
    Work,
)
from antiphon_server.dispatcher.model import Order, Policy, State, Turn
from antiphon_server.routing.finding import routed
from antiphon_server.routing.model import Decision, Outcome
from antiphon_server.runtime.errors import DomainError, Reason, invalid
from tests.dispatcher.stand_ins import Told
from tests.dispatcher.world import ANNA, CONVERSATION, World, content, turn_id, world


def gone() -> Vanished:
    """What a handler says whom nobody serves any more."""
    return Vanished(Reason.HANDLER_UNAVAILABLE, handler="told")


async def sent(
    it: World,
    fallback: str = "echo",
    handler: str = "told",
    kinds: frozenset[str] = frozenset(),
) -> None:
    """A turn that a rule with that fallback has sent there."""
    decision = Decision(handler, Outcome.RULE, rule="all", fallback=fallback)
    found = routed(decision)
    asked = Order(content("hello"), handler, Policy.QUEUE, kinds=kinds)
    order = replace(asked, route=found.decision, fallback=found.fallback)
    await it.turns.dispatch(ANNA, CONVERSATION, turn_id(1), order, b"d")


async def started(it: World) -> list[tuple[str, int]]:
    """Who has begun to work on it, and in which attempt."""
    log = [event for event in await it.history() if event.HasField("turn_started")]
    return [(event.turn_started.handler, event.attempt) for event in log]


async def told_of(it: World) -> TurnMessage:
    """The turn as its callers see it."""
    return turn_message(await it.turns.get(CONVERSATION, turn_id(1)))


async def test_a_handler_that_vanishes_leaves_its_turn_to_the_fallback(it: World) -> None:
    """The log says who goes on; the turn says so, too, and who was passed over."""
    await sent(it)
    it.told.say(gone())
    assert (await it.ended()).state is State.SUCCEEDED
    assert await started(it) == [("told", 1), ("echo", 2)]
    turn = await told_of(it)
    assert (turn.handler, turn.route.handler, turn.route.outcome) == (
        "echo",
        "echo",
        ROUTE_OUTCOME_AWAY,
    )
    assert (list(turn.route.passed_over), turn.route.fallback) == (["told"], "")
    log = await it.history()
    (accepted,) = [event.turn_accepted for event in log if event.HasField("turn_accepted")]
    assert (accepted.handler, accepted.route.outcome) == ("told", ROUTE_OUTCOME_RULE)
    answer = log[-2].message_posted.message
    assert (answer.author, answer.parts[0].text) == ("handlers/echo", "hello")


async def test_the_choice_of_the_fallback_outlives_its_server(it: World) -> None:
    """Another server goes on there, and nobody asks for who vanished."""
    await sent(it, "told", "fragile")
    it.fragile.say(gone())
    await it.told.running.wait()
    await it.turns.drain(0.0)
    async with world(it.database, it.log) as next_life:
        assert (await told_of(next_life)).handler == "told"
        await next_life.adopted()
        next_life.told.say("whole", None)
        assert (await next_life.ended()).state is State.SUCCEEDED
        assert await started(next_life) == [("fragile", 1), ("told", 2), ("told", 3)]
        assert (await told_of(next_life)).route.outcome == ROUTE_OUTCOME_AWAY


async def test_a_crash_before_the_log_knows_of_the_fallback_changes_nothing(it: World) -> None:
    """The store does: the fallback begins when the turn is taken up."""
    await sent(it, "echo")
    turn = await it.turns.get(CONVERSATION, turn_id(1))
    assert isinstance(turn, Turn)
    await it.turns.drain(0.0)
    await it.store.put(replace(turn, attempt=2, fell_back=True))
    async with world(it.database, it.log) as next_life:
        await next_life.adopted()
        assert (await next_life.ended()).state is State.SUCCEEDED
        assert [handler for handler, _ in await started(next_life)] == ["told", "echo"]


async def test_the_worker_of_who_vanished_has_the_turn_no_more(it: World) -> None:
    """Neither here nor at another server: it would go on with what is the fallback's."""
    had: list[TurnAssigned | None] = []

    class AtWorker(Told):
        async def run(self, work: Work) -> None:
            had.append(work.outputs.assigned)
            await work.outputs.assign(TurnAssigned("worker_1", "experts"))
            raise AttemptLost if len(had) == 1 else gone()

    class Fallback(Told):
        async def run(self, work: Work) -> None:
            had.append(work.outputs.assigned)
            await super().run(work)

    more = [AtWorker("expert", LossPolicy.RESUME), Fallback("general", LossPolicy.RESUME)]
    async with world(it.database, it.log, more=more) as life:
        await sent(life, "general", "expert")
        await more[1].running.wait()
        await life.turns.drain(0.0)
    async with world(it.database, it.log, more=more) as next_life:
        await next_life.adopted()
        more[1].say(None)
        assert (await next_life.ended()).state is State.SUCCEEDED
    assert had == [None, TurnAssigned("worker_1", "experts"), None, None]


@pytest.mark.parametrize(
    ("takes", "state", "handler"),
    [({"image"}, State.SUCCEEDED, "picky"), (set(), State.FAILED, "told")],
)
async def test_a_fallback_is_given_what_it_takes(
    it: World, takes: set[str], state: State, handler: str
) -> None:
    """Of a message that has other parts than text; else nobody is there, as without one."""

    class Picky(Told):
        async def check(self, order: Order, workspace_id: str) -> None:
            if order.kinds - takes:
                raise invalid("parts", "picky takes no image")

    picky = Picky("picky", LossPolicy.RESUME)
    async with world(it.database, it.log, more=[picky]) as life:
        await sent(life, "picky", kinds=frozenset({"image"}))
        life.told.say(gone())
        picky.say(None)
        turn = await life.ended()
        assert (turn.state, turn_message(turn).handler) == (state, handler)


@pytest.mark.parametrize("lines", [["half "], ["half ", AttemptLost()]])
async def test_what_has_said_something_is_finished_by_nobody_else(
    it: World, lines: list[str | BaseException]
) -> None:
    """Whenever it did. The turn ends as it did before, with what was said."""
    await sent(it)
    it.told.say(*lines, gone())
    assert (await it.failed()).reason is Reason.HANDLER_UNAVAILABLE
    assert (await it.messages())[-1] == ("half ", True)
    assert "echo" not in dict(await started(it))


@pytest.mark.parametrize(
    ("fallback", "error"),
    [("", gone()), ("echo", DomainError(Reason.HANDLER_UNAVAILABLE, handler="told"))],
)
async def test_others_end_by_their_error(it: World, fallback: str, error: DomainError) -> None:
    """Those without a fallback, and those whose handler is there."""
    await sent(it, fallback)
    it.told.say(error)
    assert (await it.failed()).reason is Reason.HANDLER_UNAVAILABLE


async def test_a_turn_that_named_its_handler_has_no_fallback(it: World) -> None:
    """Nobody but who was asked for works on it."""
    await it.dispatch()
    it.told.say(gone())
    assert (await it.failed()).reason is Reason.HANDLER_UNAVAILABLE


async def test_a_fallback_that_vanishes_ends_the_turn(it: World) -> None:
    """There is one, and no other behind it."""
    await sent(it, "told", "fragile")
    it.fragile.say(gone())
    it.told.say(gone())
    assert (await it.failed()).reason is Reason.HANDLER_UNAVAILABLE
    assert await started(it) == [("fragile", 1), ("told", 2)]
