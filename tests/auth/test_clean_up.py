"""What has expired is noted once and forgotten, in pieces of bounded size."""

from pathlib import Path

from sqlalchemy import func, select

from antiphon.auth.v1.audit_pb2 import SecurityEvent
from antiphon_server.auth.adapters.tables import metadata
from antiphon_server.auth.model import SECOND, LoginMethod, Origin
from antiphon_server.auth.model.security_events import ALL
from antiphon_server.auth.service.clean_up import CleanUp
from antiphon_server.auth.service.users import NewUser
from antiphon_server.runtime.errors import Reason
from tests.auth.world import OPERATOR, World, open_world, reason

DAY_S = 86_400


async def expired(world: World) -> list[str]:
    """Which sessions are recorded as expired."""
    events = await world.stores.security_events.after(0, ALL, 1_000)
    read = [SecurityEvent.FromString(event.body) for event in events]
    found = [event for event in read if event.HasField("session_expired")]
    return [event.session_expired.session_id for event in found]


async def test_sessions_that_expired_are_recorded_once(world: World) -> None:
    """Not those that live, and not those that were revoked; nothing is told to streams."""
    await world.user()
    idle = [(await world.login()).tokens for _ in range(3)]
    await world.auth.sessions.revoke(OPERATOR, idle[2].session_id)
    world.clock.time += 20 * DAY_S
    live = (await world.login()).tokens
    told = list(world.events.told)
    world.clock.time += 10 * DAY_S
    for _ in range(3):
        await world.auth.clean_up.once()
    assert sorted(await expired(world)) == sorted(pair.session_id for pair in idle[:2])
    assert world.events.told == told
    refreshed = world.auth.sessions.refresh(idle[0].refresh_token)
    assert await reason(refreshed) is Reason.SESSION_REVOKED
    await world.auth.sessions.refresh(live.refresh_token)


async def test_the_work_is_done_in_pieces(world: World) -> None:
    """No piece is larger than it may be, and each says whether there is more."""
    user = await world.user()
    for _ in range(7):
        await world.auth.sessions.open(user, Origin(LoginMethod.PASSWORD))
    world.clock.time += 31 * DAY_S
    clean_up = CleanUp(world.stores.expiring, world.auth.security_events, world.clock, piece=3)
    counts = []
    more = True
    while more:
        more = await clean_up.once()
        counts.append(len(await expired(world)))
    assert counts[:3] == [3, 6, 7]
    now = int(world.clock() * SECOND)
    assert await world.stores.expiring.end_expired(now, 9) == []


async def test_nothing_is_kept_for_ever(tmp_path: Path) -> None:
    """After two months of silence no row is left of what was for a time."""
    world = await open_world(tmp_path, sqlite=True)
    user = await world.auth.users.create(OPERATOR, NewUser("ann", request_id="r", body=b"b"))
    _, secret = await world.auth.api_keys.create(user.user_id, "ci", DAY_S * SECOND)
    for _ in range(5):
        pair = (await world.auth.login.by_api_key(secret, "")).tokens
        await world.auth.sessions.revoke(OPERATOR, pair.session_id)
    await reason(world.auth.login.by_password("ann", "wrong", "", "192.0.2.1"))
    await world.auth.signing_keys.rotate()
    world.clock.time += 62 * DAY_S
    while await world.auth.clean_up.once():
        pass
    assert world.database is not None
    counts = await world.database.read(
        lambda connection: {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar()
            for table in metadata.tables.values()
        }
    )
    kept = ("auth_users", "auth_signing_keys", "auth_counters", "auth_security_events")
    left = {name: count for name, count in counts.items() if count and name not in kept}
    assert set(left) <= {"auth_places"}
    assert counts["auth_signing_keys"] == 1
    await world.close()
