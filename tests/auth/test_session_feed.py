"""What those are told who verify access tokens elsewhere."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from antiphon_server.auth.model import SECOND
from antiphon_server.auth.service.ended_sessions import EndedSessions
from antiphon_server.auth.service.liveness import Liveness
from antiphon_server.auth.service.public_keys import PublicKeys
from antiphon_server.auth.service.session_feed import MARGIN_S, Page, SessionFeed
from antiphon_server.auth.service.token_reader import TokenReader
from antiphon_server.auth.service.token_settings import MOST_USER_SECONDS, TokenSettings
from antiphon_server.auth.service.verifier import Verifier
from antiphon_server.runtime.access.principal import SessionId
from antiphon_server.runtime.errors import DomainError, Reason
from tests.auth.histories import FailingOver
from tests.auth.world import OPERATOR, FakeClock, World, reason

LIFE = TokenSettings().longest_life
Pages = AsyncGenerator[Page, None]


async def told(pages: Pages) -> Page:
    """The next page."""
    async with asyncio.timeout(30):
        return await anext(pages)


async def session_that_ends(world: World) -> SessionId:
    """One that was opened and revoked."""
    session_id = (await world.login()).tokens.session_id
    await world.accounts.sessions.revoke(OPERATOR, session_id)
    return session_id


async def test_a_follower_begins_with_all_that_counts(world: World) -> None:
    """The ends of as long as tokens live, and the keys; what is older is left out."""
    await world.user()
    await session_that_ends(world)
    world.clock.time += LIFE + MARGIN_S + 1
    recent = await session_that_ends(world)
    async with aclosing(world.tokens.feed.follow(None)) as pages:
        page = await told(pages)
    assert list(page.ended) == [recent]
    assert page.keys == world.tokens.signing_keys.valid()
    assert page.up_to_date


async def test_an_end_counts_as_long_as_any_process_lets_tokens_live() -> None:
    """Told that tokens live a minute, this one remembers those of a server that gives an hour."""
    clock = FakeClock()
    ended = EndedSessions(Liveness(), clock, TokenSettings(user_seconds=60).longest_life)
    ended.learn([SessionId("sess_1")], up_to_date=True)
    clock.time += MOST_USER_SECONDS - 1
    ended.learn([], up_to_date=True)
    assert not await ended.lives(SessionId("sess_1"))


async def test_ends_come_as_they_happen(world: World) -> None:
    """Each once, in order; who begins again behind a position misses none."""
    await world.user()
    async with aclosing(world.tokens.feed.follow(None)) as pages:
        await told(pages)
        first = await session_that_ends(world)
        page = await told(pages)
        assert (list(page.ended), page.keys) == ([first], None)
    second = await session_that_ends(world)
    async with aclosing(world.tokens.feed.follow(page.position)) as pages:
        assert list((await told(pages)).ended) == [second]


async def test_new_keys_are_told(world: World) -> None:
    """A key that is made, and one that is withdrawn, reach who follows."""
    async with aclosing(world.tokens.feed.follow(None)) as pages:
        await told(pages)
        kid = await world.tokens.signing_keys.rotate(compromised=True)
        page = await told(pages)
    assert [key.kid for key in page.keys or ()] == [kid]


async def test_another_history_is_told_from_its_beginning(world: World) -> None:
    """A position beyond the newest is of a store that is gone: all that counts is told again."""
    await world.user()
    ended = await session_that_ends(world)
    async with aclosing(world.tokens.feed.follow(1_000)) as pages:
        assert list((await told(pages)).ended) == [ended]


async def test_a_failover_under_a_feed_that_lost_some_is_told_anew(world: World) -> None:
    """What has ended since has places that the follower has seen with others."""
    endings, time = FailingOver(world.database), int(world.clock.time * SECOND)
    await endings.end("sess_1", "sess_2", "sess_3", time=time)
    feed = SessionFeed(endings, world.tokens.signing_keys, Liveness(), world.clock, LIFE)
    async with aclosing(feed.follow(None)) as pages:
        assert list((await told(pages)).ended) == ["sess_1", "sess_2", "sess_3"]
        await endings.lose(2)
        await endings.end("sess_4", time=time)
        assert list((await told(pages)).ended) == ["sess_1", "sess_4"]


async def test_followers_are_bounded(world: World) -> None:
    """One too many is refused, and has room when another one has left."""
    keys = world.tokens.signing_keys
    feed = SessionFeed(world.stores.endings, keys, Liveness(), world.clock, LIFE, most=1)
    async with aclosing(feed.follow(None)) as first, aclosing(feed.follow(None)) as second:
        await told(first)
        assert await reason(told(second)) is Reason.LIMIT_EXCEEDED
    async with aclosing(feed.follow(None)) as third:
        await told(third)


async def test_all_followers_are_ended_when_the_server_stops(world: World) -> None:
    """They are told so, and go on at another one."""
    async with aclosing(world.tokens.feed.follow(None)) as pages:
        await told(pages)
        world.tokens.feed.drain()
        assert await reason(told(pages)) is Reason.DRAINING


def verifier_elsewhere(
    clock: FakeClock, most: int = 100
) -> tuple[Verifier, PublicKeys, EndedSessions]:
    """A verifier that has no store."""
    keys, liveness = PublicKeys(), Liveness(most=2)
    ended = EndedSessions(liveness, clock, LIFE, most)
    reader = TokenReader(keys, TokenSettings())
    return Verifier(reader, keys, ended, liveness, clock), keys, ended


def learn(world: World, keys: PublicKeys) -> None:
    """Hand over the keys that are valid now."""
    keys.replace({key.kid: key.public for key in world.tokens.signing_keys.valid()})


async def test_nobody_is_judged_before_all_is_known(world: World) -> None:
    """Without keys, and without the ends, a token is neither good nor bad."""
    token = (await world.newcomer()).tokens.access_token
    verifier, keys, ended = verifier_elsewhere(world.clock)
    assert await reason(verifier.verify(token)) is Reason.SERVICE_UNAVAILABLE
    learn(world, keys)
    ended.learn([], up_to_date=False)
    assert await reason(verifier.verify(token)) is Reason.SERVICE_UNAVAILABLE
    ended.learn([], up_to_date=True)
    assert (await verifier.verify(token)).kind == "user"


async def test_ends_are_remembered_as_long_as_tokens_live(world: World) -> None:
    """However few sessions are kept in mind, an ended one is refused until its tokens expire."""
    await world.user()
    verifier, keys, ended = verifier_elsewhere(world.clock)
    learn(world, keys)
    ended.learn([], up_to_date=True)
    pairs = [(await world.login()).tokens for _ in range(5)]
    ended.learn([pair.session_id for pair in pairs[:3]], up_to_date=True)
    for pair in pairs[:3]:
        assert await reason(verifier.verify(pair.access_token)) is Reason.SESSION_REVOKED
    for pair in pairs[3:]:
        await verifier.verify(pair.access_token)
    for pair in pairs[:3]:
        assert await reason(verifier.verify(pair.access_token)) is Reason.SESSION_REVOKED


async def test_a_withdrawn_key_is_refused_at_once(world: World) -> None:
    """Though its token was good a moment ago."""
    token = (await world.newcomer()).tokens.access_token
    verifier, keys, ended = verifier_elsewhere(world.clock)
    learn(world, keys)
    ended.learn([], up_to_date=True)
    await verifier.verify(token)
    await world.tokens.signing_keys.rotate(compromised=True)
    learn(world, keys)
    assert await reason(verifier.verify(token)) is Reason.TOKEN_INVALID


async def test_more_ends_than_can_be_remembered_let_nobody_in() -> None:
    """Until those that were forgotten have no valid token any more; then all goes on."""
    clock = FakeClock()
    _, _, ended = verifier_elsewhere(clock, most=2)
    ended.learn([SessionId(f"sess_{n}") for n in range(3)], up_to_date=True)
    with pytest.raises(DomainError) as caught:
        await ended.lives(SessionId("sess_live"))
    assert caught.value.reason is Reason.SERVICE_UNAVAILABLE
    clock.time += LIFE + 1
    ended.learn([], up_to_date=True)
    assert await ended.lives(SessionId("sess_live"))


async def test_an_end_that_is_told_again_keeps_no_other_longer() -> None:
    """Each is forgotten as long after it was told last as its tokens live."""
    clock = FakeClock()
    _, _, ended = verifier_elsewhere(clock)
    first, second = SessionId("sess_1"), SessionId("sess_2")
    ended.learn([first, second], up_to_date=True)
    clock.time += LIFE / 2
    ended.learn([first], up_to_date=True)
    clock.time += LIFE / 2 + 1
    ended.learn([], up_to_date=True)
    assert (await ended.lives(first), await ended.lives(second)) == (False, True)
