"""What has expired is forgotten, in pieces of bounded size."""

import asyncio

import pytest
from sqlalchemy import func, select

from antiphon_server.auth.adapters.tables import metadata
from antiphon_server.auth.model import SECOND, LoginMethod, Origin
from antiphon_server.auth.service.clean_up import CleanUp
from antiphon_server.auth.service.users import NewUser
from antiphon_server.runtime.errors import Reason
from tests.auth.test_recorded import kinds
from tests.auth.world import OPERATOR, FakeClock, World, reason

DAY_S = 86_400


async def test_the_work_is_done_in_pieces(world: World) -> None:
    """No piece is larger than it may be, each says whether there is more, and none is live."""
    user = await world.user()
    for _ in range(7):
        await world.accounts.sessions.open(user, Origin(LoginMethod.PASSWORD))
    world.clock.time += 61 * DAY_S
    for _ in range(2):
        await world.auth.background.expirations.look()
    live = (await world.accounts.sessions.open(user, Origin(LoginMethod.PASSWORD), most=99)).tokens
    now = int(world.clock() * SECOND)
    assert await world.stores.expiring.forget(now, 3) <= 3
    cleaning = CleanUp(world.stores.expiring, world.clock, piece=3)
    while await cleaning.once():
        pass
    assert await world.stores.expiring.forget(now, 3) == 0
    await world.refresh(live.refresh_token)


async def test_no_end_is_forgotten_before_it_is_told(world: World) -> None:
    """What ran out while nobody looked is recorded first; what the log did not hear of stays."""
    await world.user()
    ran_out, ended = [(await world.login()).tokens.session_id for _ in range(2)]
    world.events.reachable = False
    await world.accounts.sessions.revoke(OPERATOR, ended)
    world.clock.time += 61 * DAY_S
    while await world.auth.background.clean_up.once():
        pass
    await world.login()
    world.events.reachable = True
    await world.accounts.endings.announce_pending()
    for _ in range(2):
        await world.auth.background.expirations.look()
    assert [session_id for _, session_id in world.events.told] == [ended]
    assert "session_expired" in await kinds(world)
    await world.auth.background.clean_up.once()
    for gone in (ran_out, ended):
        assert await reason(world.accounts.sessions.get(gone)) is Reason.NOT_FOUND


async def test_nothing_is_kept_for_ever(world: World) -> None:
    """After two months of silence no row is left of what was for a time."""
    user = await world.accounts.users.create(OPERATOR, NewUser("ann", request_id="r", body=b"b"))
    _, secret = await world.accounts.api_keys.create(user.user_id, "ci", DAY_S * SECOND)
    for _ in range(5):
        pair = (await world.login_by_key(secret)).tokens
        await world.accounts.sessions.revoke(OPERATOR, pair.session_id)
    await reason(world.signing_in.login.by_password("ann", "wrong", "", "192.0.2.1"))
    await world.tokens.signing_keys.rotate()
    world.clock.time += 62 * DAY_S
    while await world.auth.background.clean_up.once():
        pass
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


async def test_it_goes_on_after_any_failure() -> None:
    """What a store raises that nobody thought of ends one round, and not all of them."""
    asked, again = 0, asyncio.Event()

    class Odd:
        """An Expiring that fails in a way of its own, once."""

        async def forget(self, now: int, limit: int) -> int:
            nonlocal asked
            asked += 1
            if asked == 1:
                raise ArithmeticError
            again.set()
            return 0

    cleaning = asyncio.create_task(CleanUp(Odd(), FakeClock(), every_s=0.0).run())
    await again.wait()
    cleaning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cleaning
