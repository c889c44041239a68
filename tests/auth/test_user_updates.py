"""Accounts that operators change: rights end at once, and somebody always governs."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from antiphon_server.auth.adapters.sql.users import SqlUsers
from antiphon_server.auth.model import SignedIn, TokenPair, User
from antiphon_server.auth.model.user_changes import UserChange
from antiphon_server.auth.ports import UserStore
from antiphon_server.auth.service.user_updates import UserUpdates, Wishes
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.cache.cache import MemoryCache
from antiphon_server.runtime.cache.known_names import KnownNames
from antiphon_server.runtime.errors import DomainError, Reason, unavailable
from tests.auth.world import OPERATOR, World, error, reason


async def operator(world: World, name: str) -> User:
    """Make an operator."""
    return await world.user(name, operator=True)


async def test_a_field_changes_and_the_others_stay(world: World) -> None:
    """A display name is stripped of what commands a terminal; an empty one is the name."""
    user = await world.user()
    update = world.accounts.user_updates.update
    assert await update(user.user_id, Wishes("An\x1bn")) == replace(user, display_name="Ann")
    assert await world.accounts.users.get(user.user_id) == replace(user, display_name="Ann")
    assert (await update(user.user_id, Wishes(""))).display_name == "ann"
    refused = await error(update(user.user_id, Wishes("x" * 129)))
    assert [violation.field for violation in refused.violations] == ["user.display_name"]


class Unanswered(SqlUsers):
    """Commits a change, and is cut off before it says so."""

    async def change(self, *args: Any, **kwargs: Any) -> UserChange | None:
        """See :meth:`UserStore.change`."""
        await super().change(*args, **kwargs)
        raise unavailable("store")


class Noting(MemoryCache):
    """Notes how many ended sessions had been told of when something was forgotten."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self.told: list[int] = []

    async def invalidate(self, key: str) -> None:
        """See :meth:`Cache.invalidate`."""
        self.told.append(len(self._world.events.told))
        await super().invalidate(key)


def updates(world: World, store: UserStore, names: KnownNames) -> UserUpdates:
    """As the world's, on another store or with other names."""
    auth = world.auth
    return UserUpdates(
        store,
        auth.accounts.endings,
        auth.base.completion,
        auth.recording.security_events,
        names,
        world.clock,
    )


async def test_a_name_is_taken_back_if_the_commit_was_not_answered(world: World) -> None:
    """It may have been made: others show the new name as well as who asked for it will."""
    user, names = await world.user(), KnownNames(MemoryCache())
    await names.keep({user.user_id: "ann"}, 60.0, (await names.of([user.user_id])).lease)
    update = updates(world, Unanswered(world.database), names).update
    assert await reason(update(user.user_id, Wishes("Ann"))) is Reason.SERVICE_UNAVAILABLE
    assert (await world.accounts.users.get(user.user_id)).display_name == "Ann"
    assert (await names.of([user.user_id])).missing == [user.user_id]


async def test_sessions_end_before_a_name_is_taken_back(world: World) -> None:
    """Those who remember names may be slow to hear of it."""
    user, cache = await world.user(), Noting(world)
    await world.login()
    update = updates(world, world.stores.users, KnownNames(cache)).update
    await update(user.user_id, Wishes("Ann", disabled=True))
    assert cache.told == [1]


async def test_an_unknown_user_is_not_found(world: World) -> None:
    """The refusal names it."""
    refused = await error(world.accounts.user_updates.update(UserId("user_00000000"), Wishes()))
    assert refused.metadata == {"resource": "users/user_00000000"}


async def test_a_disabled_user_is_out_at_once(world: World) -> None:
    """Sessions end, told to the log and to open streams; no credential opens another."""
    user = await world.user()
    tokens = (await world.login()).tokens
    _, secret = await world.accounts.api_keys.create(user.user_id, "ci", None)
    by_key = (await world.login_by_key(secret)).tokens
    ended: list[str] = []
    world.tokens.liveness.on_end(ended.append)
    await world.accounts.user_updates.update(user.user_id, Wishes(disabled=True))
    assert set(ended) == {tokens.session_id, by_key.session_id}
    assert len(world.events.told) == 2
    for pair in (tokens, by_key):
        assert await reason(world.verify(pair.access_token)) is Reason.SESSION_REVOKED
        assert await reason(world.refresh(pair.refresh_token)) is Reason.SESSION_REVOKED
    assert await reason(world.login()) is Reason.USER_DISABLED
    assert await reason(world.login_by_key(secret)) is Reason.USER_DISABLED
    await world.accounts.user_updates.update(user.user_id, Wishes(disabled=False))
    await world.login()
    await world.login_by_key(secret)
    assert await reason(world.verify(tokens.access_token)) is Reason.SESSION_REVOKED


async def test_only_the_right_password_is_told_of_the_disabling(world: World) -> None:
    """Any other is told nothing, by the same work: one evaluation each."""
    user = await world.user()
    await world.accounts.user_updates.update(user.user_id, Wishes(disabled=True))
    before = world.hasher.evaluations
    assert await reason(world.login(password="wrong")) is Reason.CREDENTIALS_INVALID
    assert await reason(world.login("nobody")) is Reason.CREDENTIALS_INVALID
    assert await reason(world.login()) is Reason.USER_DISABLED
    assert world.hasher.evaluations == before + 3


async def test_a_login_under_way_does_not_survive_the_disabling(world: World) -> None:
    """Whenever the two meet: afterwards no session of the user lives."""
    for number in range(30):
        user = await world.user(f"ann{number}")
        login = asyncio.create_task(world.login(user.name))
        await asyncio.sleep(number / 5_000)
        await world.accounts.user_updates.update(user.user_id, Wishes(disabled=True))
        await asyncio.gather(login, return_exceptions=True)
        caller = Principal("user", user.user_id, OPERATOR.session_id)
        assert not await world.accounts.sessions.list_live(caller, "", None, 9)


async def test_no_token_outlives_the_rights_of_an_operator(world: World) -> None:
    """Whenever a login or a refresh meets it, no live token says that the user governs."""
    await operator(world, "boss")
    for number in range(30):
        user = await operator(world, f"ann{number}")
        held = (await world.login(user.name)).tokens
        racing: list[asyncio.Task[Any]] = [
            asyncio.create_task(world.login(user.name)),
            asyncio.create_task(world.refresh(held.refresh_token)),
        ]
        await asyncio.sleep(number / 5_000)
        await world.accounts.user_updates.update(user.user_id, Wishes(operator=False))
        outcomes = await asyncio.gather(*racing, return_exceptions=True)
        tokens = [held.access_token]
        for outcome in outcomes:
            if isinstance(outcome, SignedIn):
                tokens.append(outcome.tokens.access_token)
            elif isinstance(outcome, TokenPair):
                tokens.append(outcome.access_token)
        for token in tokens:
            assert not await governs(world, token)


async def governs(world: World, token: str) -> bool:
    """Whether a live token says that its user is an operator."""
    try:
        return (await world.verify(token)).operator
    except DomainError as refused:
        if refused.reason is not Reason.SESSION_REVOKED:
            raise
        return False


@pytest.mark.parametrize("wish", [Wishes(operator=False), Wishes(disabled=True)])
async def test_the_last_operator_stays(world: World, wish: Wishes) -> None:
    """Nobody is left who could undo it; a disabled operator is no other one."""
    last = await operator(world, "last")
    other = await operator(world, "other")
    await world.accounts.user_updates.update(other.user_id, Wishes(disabled=True))
    tokens = (await world.login("last")).tokens
    assert (
        await reason(world.accounts.user_updates.update(last.user_id, wish)) is Reason.LAST_OPERATOR
    )
    assert await world.accounts.users.get(last.user_id) == last
    await world.verify(tokens.access_token)
    await world.accounts.user_updates.update(other.user_id, Wishes(disabled=False))
    await world.accounts.user_updates.update(last.user_id, wish)


async def test_two_operators_cannot_take_each_others_rights(world: World) -> None:
    """Of two at once one comes second, and is refused."""
    update = world.accounts.user_updates.update
    ann, bob = await operator(world, "ann"), await operator(world, "bob")
    for number in range(20):
        wish = Wishes(operator=False) if number % 2 else Wishes(disabled=True)
        outcomes = await asyncio.gather(
            update(ann.user_id, wish), update(bob.user_id, wish), return_exceptions=True
        )
        refused = [it for it in outcomes if isinstance(it, BaseException)]
        assert [getattr(it, "reason", it) for it in refused] == [Reason.LAST_OPERATOR]
        for one in (ann, bob):
            await update(one.user_id, Wishes(operator=True, disabled=False))


async def test_users_are_listed_by_name(world: World) -> None:
    """Pages join; a prefix in any case keeps those who begin so, signs meaning themselves."""
    for name in ("bob", "ann", "ann_b", "annxb", "Anton", "zoe"):
        await world.user(name, "")

    async def listed(prefix: str, after: str = "", limit: int = 9) -> list[str]:
        return [it.name for it in await world.accounts.users.list_named(prefix, after, limit)]

    assert await listed("") == ["ann", "ann_b", "annxb", "anton", "bob", "zoe"]
    assert await listed("", "ann_b", 2) == ["annxb", "anton"]
    assert await listed("ANN_") == ["ann_b"]
    assert await listed("an", "annxb") == ["anton"]
    for nothing in ("%", "ann%", "é", "\0", "x"):
        assert await listed(nothing) == []


async def test_a_user_is_found_by_name(world: World) -> None:
    """In any case; what can be nobody's name is not found."""
    user = await world.user()
    assert await world.accounts.users.named("ANN") == user
    for nobody in ("bob", "\0", "ä"):
        assert await reason(world.accounts.users.named(nobody)) is Reason.NOT_FOUND
