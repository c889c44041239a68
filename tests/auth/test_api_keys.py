"""API keys: typos never reach the store, revocation ends what a key opened."""

import asyncio
import random
import string
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.auth.model import DAY, SECOND, UserKind
from antiphon_server.auth.service.key_custody import KeyCustody
from antiphon_server.auth.service.key_format import new_secret, well_formed
from antiphon_server.auth.service.sessions import MOST_COUNTED
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import Reason
from tests.auth.asked import Asked
from tests.auth.test_recorded import kinds
from tests.auth.world import World, contents, error, reason

SECRET = new_secret()


@given(st.integers(0, len(SECRET) - 1), st.sampled_from(string.printable))
def test_a_typo_is_recognised(place: int, character: str) -> None:
    """Any one wrong character is refused by the checksum."""
    typo = SECRET[:place] + character + SECRET[place + 1 :]
    assert well_formed(typo) == (typo == SECRET)


@given(st.text())
def test_garbage_is_no_key(text: str) -> None:
    """No text is a key by chance, and none is a fault."""
    assert not well_formed(text)
    assert not well_formed(f"antk_{text}")


def test_keys_have_the_announced_shape() -> None:
    """``antk_``, 43 random characters and 6 of checksum; never the same twice."""
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(secret) for secret in secrets} == {54}
    assert all(secret.startswith("antk_") and well_formed(secret) for secret in secrets)


async def test_no_mutation_of_a_key_reaches_the_store(world: World) -> None:
    """Of 10,000 changed, cut, spliced and swapped secrets none is accepted, none looked up."""
    user = await world.user()
    secrets = [
        (await world.accounts.api_keys.create(user.user_id, "ci", None))[1] for _ in range(2)
    ]
    asked = Asked(world.stores.api_keys, "find")
    chance, tried = random.Random(11), set(secrets)
    while len(tried) < 10_002:
        tried.add(_mutated(chance, *secrets))
    for mutant in tried - set(secrets):
        assert await world.accounts.api_keys.find(mutant) is None
    assert asked.times == 0
    assert await world.accounts.api_keys.find(secrets[0])
    assert asked.times == 1


def _mutated(chance: random.Random, secret: str, other: str) -> str:
    place, end = sorted(chance.sample(range(len(secret) + 1), 2))
    some = "".join(chance.choices(string.ascii_letters + string.digits, k=chance.randrange(1, 5)))
    return chance.choice(
        [
            secret[:place] + some + secret[place + len(some) :],
            secret[:place] + some + secret[place:],
            secret[:place] + secret[end:],
            secret[:place] + other[place:],
            secret[:place] + secret[place:end].swapcase() + secret[end:],
            secret[:place] + secret[place:end][::-1] + secret[end:],
            secret[: -len(some)] + some,
        ]
    )


async def test_a_key_opens_sessions_without_a_password(world: World) -> None:
    """No hash is evaluated; the key notes its last use."""
    user = await world.user()
    key, secret = await world.accounts.api_keys.create(user.user_id, "ci", None)
    before = world.hasher.evaluations
    world.clock.time += 5
    signed_in = await world.login_by_key(secret, "ci")
    principal = await world.verify(signed_in.tokens.access_token)
    assert principal.user_id == user.user_id
    assert world.hasher.evaluations == before
    (listed,) = await world.accounts.api_keys.list_keys(user.user_id, None, 9)
    assert listed.last_use_time == int(world.clock() * SECOND)
    assert (listed.key_id, listed.label) == (key.key_id, "ci")


async def test_the_secret_is_stored_only_as_a_hash(world: World, tmp_path: Path) -> None:
    """Neither the key's representation nor the database's files hold it."""
    user = await world.user()
    key, secret = await world.accounts.api_keys.create(user.user_id, "ci", None)
    await world.login_by_key(secret, "ci")
    assert secret[5:] not in repr(key)
    assert secret[5:48].encode() not in contents(tmp_path)


async def test_a_well_formed_guess_is_refused(world: World) -> None:
    """A key that was never issued buys nothing and says nothing."""
    refused = await error(world.signing_in.login.by_api_key(new_secret(), ""))
    assert (refused.reason, refused.metadata) == (Reason.CREDENTIALS_INVALID, {})


async def test_an_expired_key_and_its_sessions_are_over(world: World) -> None:
    """Nothing that a key opened outlives it."""
    user = await world.user()
    _, secret = await world.accounts.api_keys.create(user.user_id, "ci", DAY)
    world.clock.time += 86_400 - 60
    tokens = (await world.login_by_key(secret)).tokens
    assert tokens.refresh_expire_time == tokens.access_expire_time // SECOND * SECOND + SECOND // 4
    world.clock.time += 60
    assert await reason(world.login_by_key(secret)) is Reason.CREDENTIALS_INVALID
    assert await reason(world.verify(tokens.access_token)) is Reason.TOKEN_EXPIRED
    assert await reason(world.refresh(tokens.refresh_token)) is Reason.SESSION_REVOKED


async def test_revoking_a_key_ends_its_sessions_at_once(world: World) -> None:
    """Those opened by password or by another key live on."""
    user = await world.user()
    key, secret = await world.accounts.api_keys.create(user.user_id, "ci", None)
    mine = (await world.login_by_key(secret)).tokens
    other = (await world.login()).tokens
    for token in (mine.access_token, other.access_token):
        await world.verify(token)
    await world.accounts.api_keys.revoke(key.key_id)
    assert await reason(world.verify(mine.access_token)) is Reason.SESSION_REVOKED
    await world.verify(other.access_token)
    assert await reason(world.login_by_key(secret)) is Reason.CREDENTIALS_INVALID
    assert world.events.told == [(user.user_id, mine.session_id)]


async def test_keys_are_bounded(world: World) -> None:
    """The hundred-and-first is refused by name of the limit."""
    user = await world.user()
    for _ in range(100):
        await world.accounts.api_keys.create(user.user_id, "ci", None)
    refused = await error(world.accounts.api_keys.create(user.user_id, "ci", None))
    assert refused.reason is Reason.LIMIT_EXCEEDED
    assert refused.metadata == {"limit": "api_keys"}


async def test_a_session_that_has_ended_makes_no_key(world: World) -> None:
    """Neither its own nor a program's, though its calls were let in before and go on."""
    ann = await world.user()
    program = await world.user("worker", "", kind=UserKind.PROGRAM)
    custody = KeyCustody(world.accounts.api_keys, world.accounts.users, world.accounts.sessions)
    thief, owner = [await world.caller() for _ in range(2)]
    calls = [custody.create(thief, "", "mine", None, None) for _ in range(8)]
    ending = asyncio.create_task(world.accounts.sessions.revoke_all(owner, "", api_keys=True))
    await asyncio.gather(*calls, return_exceptions=True)
    await ending
    assert await world.accounts.api_keys.list_keys(ann.user_id, None, 9) == []
    operator = replace(thief, operator=True)
    for named in ("", program.user_id):
        refused = custody.create(operator, named, "late", None, None)
        assert await reason(refused) is Reason.SESSION_REVOKED
    service = Principal("service", UserId("context"), SessionId(""))
    await custody.create(service, program.user_id, "ours", None, None)


async def test_what_a_key_makes_ends_with_it(world: World) -> None:
    """Keys made in sessions of keys expire with their parent; a revocation takes them all."""
    user = await world.user()
    custody = KeyCustody(world.accounts.api_keys, world.accounts.users, world.accounts.sessions)
    first, secret = await world.accounts.api_keys.create(user.user_id, "ci", DAY)
    secrets = [secret]
    for ttl in (None, 2 * DAY):
        tokens = (await world.login_by_key(secrets[-1])).tokens
        caller = await world.verify(tokens.access_token)
        made, secret = await custody.create(caller, "", "child", ttl, None)
        assert made.expire_time == first.expire_time
        secrets.append(secret)
    own = await world.caller()
    other, secret = await custody.create(own, "", "other", None, None)
    assert other.parent_key_id is None
    await custody.revoke(own, first.key_id)
    for revoked in secrets:
        assert await reason(world.login_by_key(revoked)) is Reason.CREDENTIALS_INVALID
    assert await reason(world.verify(tokens.access_token)) is Reason.SESSION_REVOKED
    assert await reason(custody.create(caller, "", "late", None, None)) is Reason.SESSION_REVOKED
    assert (await kinds(world)).count("api_key_revoked") == 3
    await world.login_by_key(secret)


async def test_a_token_says_with_which_keys_it_was_bought(world: World) -> None:
    """The one that opened the session, behind those that it was made with; a password none."""
    user = await world.user()
    custody = KeyCustody(world.accounts.api_keys, world.accounts.users, world.accounts.sessions)
    assert (await world.caller()).api_keys == ()
    key, secret = await world.accounts.api_keys.create(user.user_id, "ci", None)
    line = [key.key_id]
    for _ in range(MOST_COUNTED + 1):
        tokens = (await world.login_by_key(secret)).tokens
        refreshed = await world.refresh(tokens.refresh_token)
        for token in (tokens.access_token, refreshed.access_token):
            caller = await world.verify(token)
            assert list(caller.api_keys) == line[:MOST_COUNTED]
        made, secret = await custody.create(caller, "", "child", None, None)
        line.append(made.key_id)
