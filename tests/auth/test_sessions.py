"""Sessions: an end takes effect at once, everywhere, and stays."""

import asyncio

import pytest

from antiphon_server.auth.model import LoginMethod, Origin
from antiphon_server.auth.service.liveness import Liveness
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import Reason
from tests.auth.asked import Asked
from tests.auth.world import OPERATOR, World, reason

SERVICE = Principal("service", UserId("context"), SessionId(""))


async def test_a_revoked_session_is_refused_at_the_next_call(world: World) -> None:
    """A token that was just remembered as good is refused right after the end."""
    user = await world.user()
    tokens = (await world.login()).tokens
    me = await world.verify(tokens.access_token)
    heard: list[SessionId] = []
    world.tokens.liveness.on_end(heard.append)
    await world.accounts.sessions.revoke(me, tokens.session_id)
    assert await reason(world.verify(tokens.access_token)) is Reason.SESSION_REVOKED
    assert await reason(world.refresh(tokens.refresh_token)) is Reason.SESSION_REVOKED
    assert heard == [tokens.session_id]
    assert world.events.told == [(user.user_id, tokens.session_id)]


async def test_revoking_twice_is_no_error(world: World) -> None:
    """The second time changes and tells nothing."""
    await world.user()
    me = await world.caller()
    await world.accounts.sessions.revoke(me, me.session_id)
    first = await world.accounts.sessions.get(me.session_id)
    world.clock.time += 5
    await world.accounts.sessions.revoke(me, me.session_id)
    assert await world.accounts.sessions.get(me.session_id) == first
    assert len(world.events.told) == 1


async def test_only_owner_operator_and_services_revoke(world: World) -> None:
    """For anybody else the session does not exist."""
    await world.user()
    await world.user("eve")
    eve, ann = await world.caller("eve"), await world.caller()
    assert await reason(world.accounts.sessions.revoke(eve, ann.session_id)) is Reason.NOT_FOUND
    unknown = world.accounts.sessions.revoke(OPERATOR, SessionId("sess_00000000"))
    assert await reason(unknown) is Reason.NOT_FOUND
    await world.accounts.sessions.revoke(OPERATOR, ann.session_id)
    await world.accounts.sessions.revoke(SERVICE, eve.session_id)
    assert len(world.events.told) == 2


async def test_a_new_process_asks_the_store_once(world: World) -> None:
    """A session that this process has not seen is looked up, then remembered."""
    token = (await world.newcomer()).tokens.access_token
    asked = Asked(world.stores.sessions, "get")
    verifier = world.verifier()
    for _ in range(3):
        await verifier.verify(token)
    assert asked.times == 1


async def test_a_look_up_that_began_before_the_end_revives_nothing(world: World) -> None:
    """The store said 'live' before the end and is heard after it: still refused."""
    tokens = (await world.newcomer()).tokens
    late = Asked(world.stores.sessions, "get", late=True)
    verifier = world.verifier(liveness=world.tokens.liveness)
    looking = asyncio.create_task(reason(verifier.verify(tokens.access_token)))
    await asyncio.wait_for(late.found.wait(), 30)
    await world.accounts.sessions.revoke(OPERATOR, tokens.session_id)
    late.answer.set()
    assert await looking is Reason.SESSION_REVOKED


async def test_what_was_forgotten_is_looked_up(world: World) -> None:
    """However little is remembered, ended sessions are refused and live ones are not."""
    await world.user()
    verifier = world.verifier(liveness=Liveness(most=2), most=2)
    pairs = [(await world.login()).tokens for _ in range(5)]
    for pair in pairs[:3]:
        await world.accounts.sessions.revoke(OPERATOR, pair.session_id)
    for _ in range(2):
        for pair in pairs[:3]:
            assert await reason(verifier.verify(pair.access_token)) is Reason.SESSION_REVOKED
        for pair in pairs[3:]:
            await verifier.verify(pair.access_token)


async def test_a_reuse_whose_caller_leaves_ends_the_session(world: World) -> None:
    """A thief who hangs up at once keeps no access token either."""
    first = (await world.newcomer()).tokens
    await world.refresh(first.refresh_token)
    world.clock.time += 60
    reuse = asyncio.create_task(world.refresh(first.refresh_token))
    for _ in range(2):
        await asyncio.sleep(0)
    reuse.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reuse
    await world.auth.base.completion.close()
    assert await reason(world.verify(first.access_token)) is Reason.SESSION_REVOKED


async def test_a_keys_sessions_end_no_others(world: World) -> None:
    """However many one key opens: its owner and other keys keep theirs, and those don't end its."""
    user, open_session = await world.user(), world.accounts.sessions.open
    keys = [(await world.accounts.api_keys.create(user.user_id, "ci", None))[0] for _ in range(2)]
    origin, most = Origin(LoginMethod.PASSWORD), 2
    firsts = [await open_session(user, origin, key, most=most) for key in (None, *keys)]
    for _ in range(3):
        world.clock.time += 1
        await open_session(user, origin, keys[0], most=most)
    for kept in (firsts[0], firsts[2]):
        await world.verify(kept.tokens.access_token)
    assert await reason(world.verify(firsts[1].tokens.access_token)) is Reason.SESSION_REVOKED
    me = await world.caller()
    assert len(await world.accounts.sessions.list_live(me, "", None, 9)) == 2 + 2 + 1


async def test_sessions_of_a_user_are_bounded(world: World) -> None:
    """One login too many ends the session that was used longest ago, and tells it."""
    user = await world.user()
    pairs = []
    for _ in range(4):
        opened = await world.accounts.sessions.open(user, Origin(LoginMethod.PASSWORD), most=3)
        pairs.append(opened.tokens)
        world.clock.time += 1
    verifier = world.auth.verifier
    assert await reason(verifier.verify(pairs[0].access_token)) is Reason.SESSION_REVOKED
    for pair in pairs[1:]:
        await verifier.verify(pair.access_token)
    assert [told[1] for told in world.events.told] == [pairs[0].session_id]
