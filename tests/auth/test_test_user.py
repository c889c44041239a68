"""Development's test user: let in on purpose, shut out by itself."""

from antiphon_server.auth.model import UserKind
from antiphon_server.auth.service.test_user import NAME, USER_ID
from antiphon_server.auth.service.user_updates import Wishes
from antiphon_server.runtime.errors import Reason
from tests.auth.world import World, reason


async def test_it_signs_in_with_the_newest_password(world: World) -> None:
    """It is no operator; each start has another password, and ends what the last one opened."""
    first = await world.accounts.test_user.admit()
    before = await world.login(NAME, first)
    assert (before.user.user_id, before.user.operator) == (USER_ID, False)
    assert before.user.kind is UserKind.PERSON
    second = await world.accounts.test_user.admit()
    assert await reason(world.login(NAME, first)) is Reason.CREDENTIALS_INVALID
    assert await reason(world.verify(before.tokens.access_token)) is Reason.SESSION_REVOKED
    await world.login(NAME, second)
    assert len({first, second}) == 2
    assert min(len(first), len(second)) >= 20


async def test_a_start_without_it_shuts_it_out(world: World) -> None:
    """Password, sessions and API keys of an earlier start are good for nothing."""
    password = await world.accounts.test_user.admit()
    tokens = (await world.login(NAME, password)).tokens
    _, key = await world.accounts.api_keys.create(USER_ID, "kept", None)
    assert await world.accounts.test_user.shut_out()
    assert not await world.accounts.test_user.shut_out()
    assert await reason(world.login(NAME, password)) is Reason.CREDENTIALS_INVALID
    assert await reason(world.login_by_key(key, "x")) is Reason.USER_DISABLED
    assert await reason(world.verify(tokens.access_token)) is Reason.SESSION_REVOKED
    assert await reason(world.refresh(tokens.refresh_token)) is Reason.SESSION_REVOKED


async def test_it_can_come_back(world: World) -> None:
    """And it loses rights that an operator gave it meanwhile."""
    await world.accounts.local_operator.ensure()
    await world.accounts.test_user.admit()
    await world.accounts.user_updates.update(USER_ID, Wishes(operator=True))
    await world.accounts.test_user.shut_out()
    signed_in = await world.login(NAME, await world.accounts.test_user.admit())
    assert not signed_in.user.operator


async def test_an_account_of_that_name_is_left_alone(world: World) -> None:
    """Somebody called test is not the test user: nobody takes the account or shuts it out."""
    await world.user(NAME)
    assert await reason(world.accounts.test_user.admit()) is Reason.ALREADY_EXISTS
    assert not await world.accounts.test_user.shut_out()
    await world.login(NAME)
