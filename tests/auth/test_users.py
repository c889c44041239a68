"""Accounts: made once per request, whatever is repeated at once."""

import asyncio
import dataclasses

import pytest

from antiphon_server.auth.model import UserKind
from antiphon_server.auth.service.users import NewUser
from antiphon_server.runtime.errors import Reason
from tests.auth.world import OPERATOR, PASSWORD, World, error, reason

REQUEST = NewUser("ann", PASSWORD, request_id="6f0c…", body=b"body")


async def test_a_repeat_at_any_moment_gets_the_first_answer(world: World) -> None:
    """The second of two equal requests may come whenever the first one is under way."""
    create = world.accounts.users.create
    for number in range(40):
        request = dataclasses.replace(REQUEST, name=f"ann{number}", request_id=str(number))
        first = asyncio.create_task(create(OPERATOR, request))
        await asyncio.sleep(number / 10_000)
        assert await create(OPERATOR, request) == await first


async def test_a_name_is_taken_in_any_case(world: World) -> None:
    """Upper and lower case are the same name; the display name keeps its own."""
    user = await world.accounts.users.create(OPERATOR, NewUser("Ann", display_name="Ann B."))
    assert (user.name, user.display_name) == ("ann", "Ann B.")
    refused = await error(world.user("aNN", ""))
    assert refused.reason is Reason.ALREADY_EXISTS
    assert refused.metadata == {"resource": "users/ann"}


@pytest.mark.parametrize("name", ["", "a b", "ann\n", "anné", "a/b", "a" * 65])
async def test_an_impossible_name_is_refused(world: World, name: str) -> None:
    """Only ASCII letters, digits and four signs; no look-alikes."""
    assert await reason(world.user(name)) is Reason.INVALID_ARGUMENT


async def test_no_secret_is_in_a_representation(world: World) -> None:
    """What may end up in a log shows no password, hash or token."""
    user = await world.user()
    signed_in = await world.login()
    session = await world.accounts.sessions.get(signed_in.tokens.session_id)
    shown = repr((user, signed_in, session, NewUser("x", PASSWORD, body=PASSWORD.encode())))
    secrets = (
        PASSWORD,
        user.password_hash or "-",
        signed_in.tokens.access_token,
        signed_in.tokens.refresh_token,
        repr(session.refresh_hash),
    )
    assert not [secret for secret in secrets if secret in shown]


async def test_a_program_has_no_password(world: World) -> None:
    """It signs in by keys alone; the account says what it is for."""
    user = await world.user("worker", "", kind=UserKind.PROGRAM)
    assert (await world.accounts.users.get(user.user_id)).kind is UserKind.PROGRAM
    refused = await error(world.user("worker", kind=UserKind.PROGRAM))
    assert [violation.field for violation in refused.violations] == ["password"]
