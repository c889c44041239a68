"""A grant is good for the attempt that it was issued for, and no longer."""

from dataclasses import replace

import pytest

from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.dispatcher.grants import RESTS_S, Grants, RunningAttempts
from antiphon_server.dispatcher.handling import AttemptLost
from antiphon_server.dispatcher.lane import Lanes
from antiphon_server.dispatcher.model import State, Turn
from antiphon_server.runtime.access.grants import GrantTokens
from antiphon_server.runtime.access.principal import Grant
from tests.dispatcher.world import ANNA, CONVERSATION, World, a_turn, turn_id

TOKENS = GrantTokens(MasterSecret(bytes(range(32))))


def here(it: World) -> RunningAttempts:
    """What the server that has the turns says."""
    return RunningAttempts(it.turns._lanes, it.store)


def elsewhere(it: World) -> RunningAttempts:
    """What another server on the same store says."""
    return RunningAttempts(Lanes(), it.store)


def grant_of(attempt: int = 1, number: int = 1, conversation: str = CONVERSATION) -> Grant:
    return Grant(turn_id(number), conversation, "ws_00000001", attempt)


def test_it_is_issued_in_the_name_of_the_turns_user() -> None:
    """With the keys that it was asked with, for the attempt that begins."""
    turn = a_turn(attempt=2, workspace_id="ws_00000001", api_keys=("key_1",))
    principal = TOKENS.read(Grants(TOKENS).issue(turn, 5.5))
    assert principal.grant == grant_of(2)
    assert (principal.actor, principal.counted_as) == (f"turns/{turn.turn_id}", ANNA.actor)
    # People who are asked may take days, for which the turn's clock stands still.
    assert (principal.api_keys, principal.expires_at) == (("key_1",), 5.5 + RESTS_S)
    of_service = replace(turn, creator="services/notes")
    assert TOKENS.read(Grants(TOKENS).issue(of_service, 5.5)).user_id == ""


async def test_a_turn_runs_until_its_end_is_known(it: World) -> None:
    """On its own server and on others; of no other attempt, turn or conversation."""
    await it.said("hello")
    for running in (here(it), elsewhere(it)):
        assert await running.runs(grant_of())
        for other in (grant_of(0), grant_of(2), grant_of(1, 2), grant_of(1, 1, "conv_00000002")):
            assert not await running.runs(other)
    it.told.say(None)
    await it.ended()
    for running in (here(it), elsewhere(it)):
        assert not await running.runs(grant_of())
        assert not await running.runs(grant_of(), or_later=True)


async def test_a_stopped_turn_runs_no_more_though_its_handler_does(it: World) -> None:
    """Its worker learns of it otherwise; what it asks meanwhile is refused."""
    await it.said("hello")
    (active,) = it.turns._lanes.all()
    active.stop()
    assert not await here(it).runs(grant_of())
    await it.ended()
    assert not await elsewhere(it).runs(grant_of())


async def test_the_next_attempt_has_a_grant_of_its_own(it: World) -> None:
    """Who worked on the turn is gone, or only seems to be: theirs is good for nothing more."""
    await it.said("hello")
    it.told.say(AttemptLost(), "world")
    await it.delivered("world")
    for running in (here(it), elsewhere(it)):
        of_each = [await running.runs(grant_of(attempt)) for attempt in (1, 2, 3)]
        assert of_each == [False, True, False]
        # What was begun goes on, if it is the same worker that does: else that is told to stop.
        begun = [await running.runs(grant_of(attempt), or_later=True) for attempt in (1, 2, 3)]
        assert begun == [True, True, False]
    it.told.say(None)
    await it.ended()


async def test_a_turn_that_waits_has_no_attempt(it: World) -> None:
    """Behind another one: nobody has got a grant of it."""
    await it.said("hello")
    await it.dispatch(2)
    assert not await here(it).runs(grant_of(0, 2))
    assert not await elsewhere(it).runs(grant_of(0, 2))
    it.told.say(None, None)
    await it.ended(2)


@pytest.mark.parametrize(
    ("changes", "runs"),
    [
        ({}, True),
        ({"attempt": 2}, False),
        ({"state": State.QUEUED}, False),
        ({"cancel_requested": True}, False),
        ({"state": State.SUCCEEDED}, False),
        ({"state": 99}, False),
    ],
)
async def test_what_the_store_has_of_a_turn_in_nobodys_hands(
    it: World, changes: dict[str, object], runs: bool
) -> None:
    """Its server died: until the next one begins, whoever works on it may go on reading."""
    turn: Turn = a_turn(**{"state": State.RUNNING, "attempt": 1, **changes})  # type: ignore[arg-type]
    await it.arrange(turn)
    assert await here(it).runs(grant_of()) is runs
