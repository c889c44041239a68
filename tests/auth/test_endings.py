"""What a killed process left untold is told when one starts; recorded it was with the end."""

from antiphon_server.auth.model import SECOND, LoginMethod, Origin, User
from antiphon_server.auth.model.revocations import Ended
from antiphon_server.auth.model.security_events import RevocationCause, SecurityEvent
from antiphon_server.auth.service.endings import BATCH, ends
from antiphon_server.runtime.errors import Reason
from tests.auth.test_recorded import events
from tests.auth.world import OPERATOR, World, reason

MANY = 2 * BATCH + 1


async def recorded(world: World) -> list[tuple[str, int]]:
    """The sessions of whose end the trail tells, and why they ended, in order."""
    revoked = [
        one.session_revoked for one in await events(world) if one.HasField("session_revoked")
    ]
    return [(one.session_id, one.cause) for one in revoked]


def _events(ended: Ended) -> list[SecurityEvent]:
    return ends(ended.sessions)


async def kill_while_ending(world: World, user: User) -> list[str]:
    """End a user's sessions, and die before anybody was told; returns which."""
    now = int(world.clock() * SECOND)
    with world.recording.security_events.recording(_events) as records:
        ended = await world.stores.sessions.end_all(user.user_id, None, now, records)
    return [one.session_id for one in ended.sessions]


async def test_all_that_a_killed_process_ended_is_told(world: World) -> None:
    """However many they are; it was recorded once, and is not again."""
    user = await world.user()
    for _ in range(MANY):
        await world.accounts.sessions.open(user, Origin(LoginMethod.PASSWORD))
    ended = await kill_while_ending(world, user)
    for _ in range(2):
        await world.restart()
        await world.auth.greet()
        assert await recorded(world) == [(one, RevocationCause.REQUESTED) for one in ended]
    assert len(world.events.told) == len(ended) == MANY


async def test_what_could_not_be_told_is_told_later(world: World) -> None:
    """While the event log is away sessions end all the same; the next end tells of them, too."""
    await world.user()
    first, second = [(await world.login()).tokens for _ in range(2)]
    world.events.reachable = False
    await world.accounts.sessions.revoke(OPERATOR, first.session_id)
    assert world.events.told == []
    assert await reason(world.verify(first.access_token)) is Reason.SESSION_REVOKED
    world.events.reachable = True
    await world.accounts.sessions.revoke(OPERATOR, second.session_id)
    both = [first.session_id, second.session_id]
    assert [session_id for session_id, _ in await recorded(world)] == both
    assert sorted(session_id for _, session_id in world.events.told) == sorted(both)
