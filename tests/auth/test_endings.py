"""What a killed process left half done is made good when one starts: each end is recorded once."""

import pytest

from antiphon_server.auth.audit_encoding import ended_session
from antiphon_server.auth.model import SECOND, LoginMethod, Origin, User
from antiphon_server.auth.model.security_events import Selection
from antiphon_server.auth.service import endings
from antiphon_server.auth.service.endings import ENDS
from antiphon_server.runtime.principal import set_principal
from tests.auth.world import OPERATOR, World

BATCH = 10
MANY = 2 * BATCH + 1


async def recorded(world: World) -> list[str]:
    """The sessions of whose end the trail tells, in order."""
    found = await world.stores.security_events.after(0, Selection(kinds=ENDS), 1_000)
    return [ended_session(event) for event in found]


async def kill_while_ending(world: World, user: User) -> list[str]:
    """End a user's sessions, and die before anybody was told; returns which."""
    now = int(world.clock() * SECOND)
    ended = await world.stores.sessions.end_all(user.user_id, None, now)
    return [one.session_id for one in ended.sessions]


async def test_all_that_a_killed_process_ended_is_recorded_and_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many they are, and not again at the start after."""
    monkeypatch.setattr(endings, "BATCH", BATCH)
    user = await world.user()
    for _ in range(MANY):
        await world.auth.sessions.open(user, Origin(LoginMethod.PASSWORD))
    ended = await kill_while_ending(world, user)
    for _ in range(2):
        await world.auth.endings.recover()
        assert sorted(await recorded(world)) == sorted(ended)
    assert len(world.events.told) == len(ended) == MANY


async def test_what_was_recorded_and_not_told_is_told_alone(world: World) -> None:
    """While the event log is away ends are recorded; a later start does not record them again."""
    user = await world.user()
    first, second, third = [(await world.login()).tokens for _ in range(3)]
    world.events.reachable = False
    await world.auth.sessions.revoke(OPERATOR, first.session_id)
    caller = await world.auth.verifier.verify(second.access_token)
    set_principal(caller)
    await world.auth.sessions.revoke(caller, second.session_id)
    assert await kill_while_ending(world, user) == [third.session_id]
    world.events.reachable = True
    await world.auth.endings.recover()
    ends = [first.session_id, second.session_id, third.session_id]
    assert await recorded(world) == ends
    assert sorted(session_id for _, session_id in world.events.told) == sorted(ends)
