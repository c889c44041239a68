"""While the audit trail can't be written, what was taken away stays taken away, and is told."""

from collections.abc import Awaitable, Callable

import pytest

from antiphon_server.auth.model import LoginMethod, Origin
from antiphon_server.auth.service.user_updates import Wishes
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.principal import set_principal
from tests.auth.test_recorded import kinds
from tests.auth.world import OPERATOR, World, reason


@pytest.fixture
async def without_trail(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Awaitable[object]], Awaitable[Reason]]:
    """Runs something while security events can't be stored; how it was answered."""

    async def full(*_: object) -> None:
        raise DomainError(Reason.STORE_UNAVAILABLE)

    async def run(act: Awaitable[object]) -> Reason:
        with monkeypatch.context() as patched:
            patched.setattr(world.stores.security_events, "append", full)
            return await reason(act)

    set_principal(OPERATOR)
    return run


Without = Callable[[Awaitable[object]], Awaitable[Reason]]


async def test_a_stolen_token_works_no_more(world: World, without_trail: Without) -> None:
    """The reuse of a refresh token ends the session for everybody, recorded or not."""
    user = await world.user()
    first = (await world.login()).tokens
    second = await world.auth.sessions.refresh(first.refresh_token)
    newest = await world.auth.sessions.refresh(second.refresh_token)
    await world.auth.verifier.verify(newest.access_token)
    await without_trail(world.auth.sessions.refresh(first.refresh_token))
    verified = world.auth.verifier.verify(newest.access_token)
    assert await reason(verified) is Reason.SESSION_REVOKED
    assert world.events.told == [(user.user_id, newest.session_id)]


async def test_a_revoked_key_works_no_more(world: World, without_trail: Without) -> None:
    """Nor what it opened; and its owner may repeat it until it is recorded."""
    user, keys = await world.user(), world.auth.api_keys
    key, secret = await keys.create(user.user_id, "ci", None)
    tokens = (await world.auth.login.by_api_key(secret, "")).tokens
    await world.auth.verifier.verify(tokens.access_token)
    assert await without_trail(keys.revoke(key.key_id)) is Reason.STORE_UNAVAILABLE
    verified = world.auth.verifier.verify(tokens.access_token)
    assert await reason(verified) is Reason.SESSION_REVOKED
    assert await reason(world.auth.login.by_api_key(secret, "")) is Reason.CREDENTIALS_INVALID
    assert (
        await reason(world.auth.sessions.open(user, Origin(LoginMethod.API_KEY), key))
        is Reason.CREDENTIALS_INVALID
    )
    assert world.events.told == [(user.user_id, tokens.session_id)]
    await keys.revoke(key.key_id)
    assert (await kinds(world))[-1] == "api_key_revoked"
    assert await reason(keys.revoke(key.key_id)) is Reason.NOT_FOUND


async def test_a_disabled_user_is_shut_out(world: World, without_trail: Without) -> None:
    """Their sessions end, and the event log is told."""
    user = await world.user()
    tokens = (await world.login()).tokens
    await world.auth.verifier.verify(tokens.access_token)
    await without_trail(world.auth.user_updates.update(user.user_id, Wishes(disabled=True)))
    verified = world.auth.verifier.verify(tokens.access_token)
    assert await reason(verified) is Reason.SESSION_REVOKED
    assert world.events.told == [(user.user_id, tokens.session_id)]
