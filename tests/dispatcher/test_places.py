"""Who may run a turn now."""

import asyncio
from dataclasses import replace

from antiphon_server.dispatcher.limits import TurnLimits
from antiphon_server.dispatcher.model import Policy, State, Turn
from antiphon_server.dispatcher.places import Places
from tests.dispatcher.world import a_turn, world

ANNA, BERT = "users/user_anna0000", "users/user_bert0000"


def of(user: str, number: int, workspace: str = "ws_00000001") -> Turn:
    return replace(a_turn(number), creator=user, workspace_id=workspace)


async def waiting(places: Places, turn: Turn) -> "asyncio.Task[None]":
    task = asyncio.create_task(places.wait(turn))
    await asyncio.sleep(0)
    return task


async def test_a_user_has_so_many_places() -> None:
    """However many are free; another has theirs, and who weighs more has more."""
    weight = {ANNA: 1.0, BERT: 2.0}
    places = Places(TurnLimits(running_of_user=2, weight=lambda who: weight.get(who, 1.0)))
    assert [places.take(of(ANNA, at)) for at in range(3)] == [True, True, False]
    assert [places.take(of(BERT, at)) for at in range(5)] == [True] * 4 + [False]


async def test_the_next_place_is_for_who_has_the_fewest() -> None:
    """Not for who asked first, nor for who asks most."""
    places = Places(TurnLimits(running=2))
    first = [of(ANNA, 1), of(ANNA, 2)]
    assert all(map(places.take, first))
    more = [await waiting(places, of(ANNA, number)) for number in (3, 4)]
    other = await waiting(places, of(BERT, 5))
    assert places.waiting == 3
    places.leave(first[0])
    await other
    assert not any(task.done() for task in more)
    places.leave(first[1])
    await more[0]
    assert not more[1].done()
    more[1].cancel()


async def test_a_workspace_counts_before_its_users() -> None:
    """One who is alone in theirs comes before many who share one."""
    places = Places(TurnLimits(running=3))
    running = [of(f"users/user_{at:08}", at) for at in range(3)]
    assert all(map(places.take, running))
    shared = await waiting(places, of(ANNA, 4))
    alone = await waiting(places, of(BERT, 5, "ws_00000002"))
    places.leave(running[0])
    await alone
    assert not shared.done()
    shared.cancel()


async def test_who_goes_from_the_line_has_no_place() -> None:
    """Neither one that waits, nor one that was given it in the same moment."""
    places = Places(TurnLimits(running=1))
    first = of(ANNA, 1)
    assert places.take(first)
    given, next_one = [await waiting(places, of(ANNA, number)) for number in (2, 3)]
    places.leave(first)
    given.cancel()
    await asyncio.wait([given])
    assert given.cancelled()
    await next_one
    places.leave(of(ANNA, 3))
    assert not places.waiting
    assert places.take(first)


async def test_a_users_turns_beyond_are_queued() -> None:
    """They run when others of theirs have ended; nobody refuses them."""
    async with world(limits=TurnLimits(running_of_user=1)) as it:
        await it.dispatch(1, handler="fragile", policy=Policy.PARALLEL)
        second = await it.dispatch(2, policy=Policy.PARALLEL)
        assert second.state is State.QUEUED
        it.fragile.say(None)
        await it.state(2, State.RUNNING)


async def test_a_place_is_taken_by_who_comes_before_others_have_begun() -> None:
    """Who was given a place and has not begun yet keeps no free one from who comes then."""
    places = Places(TurnLimits(running_of_user=2))
    first = [of(ANNA, 1), of(ANNA, 2)]
    assert all(map(places.take, first))
    given = await waiting(places, of(ANNA, 3))
    for turn in first:
        places.leave(turn)
    assert not given.done()
    assert places.take(of(ANNA, 4))
    await given
