"""Refresh: one successor for everybody, and a reused token ends the session."""

import random

from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.auth.model import DAY, SECOND
from antiphon_server.auth.service.refresh_tokens import RefreshTokens
from antiphon_server.runtime.access.principal import SessionId
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import Reason
from tests.auth.races import forks, revocations
from tests.auth.world import World, reason


async def test_a_refresh_buys_the_next_pair(world: World) -> None:
    """Each generation has new tokens of the same session; older access tokens live on."""
    first = (await world.newcomer()).tokens
    world.clock.time += 60
    second = await world.refresh(first.refresh_token)
    assert second.session_id == first.session_id
    assert second.refresh_token != first.refresh_token
    assert second.access_token != first.access_token
    assert second.access_expire_time == first.access_expire_time + 60 * SECOND
    assert second.refresh_expire_time == first.refresh_expire_time + 60 * SECOND
    for pair in (first, second):
        await world.verify(pair.access_token)


async def test_the_predecessor_gets_the_same_pair_for_10_s(world: World) -> None:
    """A lost answer costs nothing: the whole pair is the same."""
    first = (await world.newcomer()).tokens
    pair = await world.refresh(first.refresh_token)
    world.clock.time += 10
    assert await world.refresh(first.refresh_token) == pair
    await world.refresh(pair.refresh_token)


async def test_reuse_after_10_s_ends_the_session(world: World) -> None:
    """Both tokens of the family die at once, and the end is told."""
    user = await world.user()
    first = (await world.login()).tokens
    pair = await world.refresh(first.refresh_token)
    world.clock.time += 10.001
    for token in (first.refresh_token, pair.refresh_token, first.refresh_token):
        assert await reason(world.refresh(token)) is Reason.SESSION_REVOKED
    for token in (first.access_token, pair.access_token):
        assert await reason(world.verify(token)) is Reason.SESSION_REVOKED
    assert world.events.told == [(user.user_id, first.session_id)]


async def test_an_older_ancestor_is_reuse_at_once(world: World) -> None:
    """Only the immediate predecessor is forgiven."""
    first = (await world.newcomer()).tokens
    second = await world.refresh(first.refresh_token)
    third = await world.refresh(second.refresh_token)
    for token in (first.refresh_token, third.refresh_token):
        assert await reason(world.refresh(token)) is Reason.SESSION_REVOKED


async def test_concurrent_refreshes_make_no_fork(world: World) -> None:
    """Fifty clients that refresh at once all get the one successor, round after round."""
    await world.user()
    assert await forks(world, 20) == 0


async def test_nothing_survives_a_revocation(world: World) -> None:
    """Whenever a refresh meets it: after its answer no refresh succeeds, and no token works."""
    await world.user()
    outcomes = await revocations(world, 50, random.Random(3))
    assert outcomes.survived == 0
    assert outcomes.refreshed + outcomes.refused == 150


async def test_reuse_is_seen_across_a_restart(world: World) -> None:
    """A used-up token ends the family in a new process too, and it stays ended."""
    first = (await world.newcomer()).tokens
    pair = await world.refresh(first.refresh_token)
    await world.restart()
    assert await world.refresh(first.refresh_token) == pair
    world.clock.time += 11
    assert await reason(world.refresh(first.refresh_token)) is Reason.SESSION_REVOKED
    await world.restart()
    assert await reason(world.verify(pair.access_token)) is Reason.SESSION_REVOKED
    assert await reason(world.refresh(pair.refresh_token)) is Reason.SESSION_REVOKED


async def test_an_unused_session_expires(world: World) -> None:
    """Thirty days without a refresh end a session; it is no longer listed."""
    user = await world.user()
    pair = (await world.login()).tokens
    assert pair.refresh_expire_time == int(world.clock() * SECOND) + 30 * DAY
    world.clock.time += 30 * 86_400
    assert await reason(world.refresh(pair.refresh_token)) is Reason.SESSION_REVOKED
    assert await world.stores.sessions.list_live(user.user_id, 0, None, 9) != []
    now = int(world.clock() * SECOND)
    assert await world.stores.sessions.list_live(user.user_id, now, None, 9) == []


async def test_no_session_outlives_180_days(world: World) -> None:
    """Refreshing every 20 days ends on the 180th, and no token outlives it."""
    pair = (await world.newcomer()).tokens
    start, last = world.clock.time, 180 * 86_400
    for day in range(20, 180, 20):
        world.clock.time = start + day * 86_400
        pair = await world.refresh(pair.refresh_token)
    assert pair.refresh_expire_time == int((start + last) * SECOND)
    world.clock.time = start + last - 60
    pair = await world.refresh(pair.refresh_token)
    assert pair.access_expire_time <= pair.refresh_expire_time
    world.clock.time = start + last
    assert await reason(world.refresh(pair.refresh_token)) is Reason.SESSION_REVOKED


TOKENS = RefreshTokens(MasterSecret(b"s" * 32))
TOKEN = TOKENS.first(SessionId(new_id("sess")))


@given(st.integers(0, len(TOKEN) - 1), st.characters())
def test_a_changed_token_was_never_issued(place: int, character: str) -> None:
    """Any other character anywhere makes a token garbage."""
    changed = TOKEN[:place] + character + TOKEN[place + 1 :]
    assert (TOKENS.session_of(changed) is not None) == (changed == TOKEN)


@given(st.text())
def test_garbage_is_refused_without_an_exception(text: str) -> None:
    """No string but an issued token names a session."""
    assert TOKENS.session_of(text) is None
    assert TOKENS.session_of(f"antr_{text}") is None


def test_successors_depend_on_the_secret() -> None:
    """Who has a used token but not the secret can't work out the next."""
    other = RefreshTokens(MasterSecret(b"t" * 32))
    assert TOKENS.successor(TOKEN) == TOKENS.successor(TOKEN)
    assert TOKENS.successor(TOKEN) != other.successor(TOKEN)
    assert TOKENS.session_of(TOKENS.successor(TOKEN)) == TOKENS.session_of(TOKEN)
    assert other.session_of(TOKEN) is None
