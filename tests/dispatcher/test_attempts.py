"""What the contract says of attempts' numbers."""

from antiphon_server.dispatcher.model import State, Turn
from tests.dispatcher.world import World


async def test_a_turn_stopped_while_it_waited_has_an_attempt_for_its_end_alone(it: World) -> None:
    """What is said of it before has none; each start has the next number."""
    await it.dispatch(1)
    queued = await it.dispatch(2)
    assert queued.attempt == 0
    stopped = await it.cancel(2)
    assert isinstance(stopped, Turn)
    assert (stopped.state, stopped.attempt, stopped.started_us) == (State.CANCELLED, 1, 0)
    events = [event for event in await it.history() if event.turn_id == stopped.turn_id]
    assert [(event.WhichOneof("payload"), event.attempt) for event in events] == [
        ("message_posted", 0),
        ("turn_accepted", 0),
        ("turn_queued", 0),
        ("turn_finished", 1),
    ]


async def test_a_turn_cancelled_before_it_came_has_no_attempt(it: World) -> None:
    """Its end is all that is said of it."""
    await it.cancel(1)
    turn = await it.dispatch(1)
    assert (turn.state, turn.attempt) == (State.CANCELLED, 0)
    assert [(e.WhichOneof("payload"), e.attempt) for e in await it.history()] == [
        ("turn_finished", 0)
    ]
