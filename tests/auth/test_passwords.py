"""New passwords: which are refused, how one is changed, how one is reset."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from antiphon_server.auth.model import User, UserKind
from antiphon_server.auth.service.key_format import new_secret
from antiphon_server.auth.service.password_resets import PREFIX
from antiphon_server.auth.service.user_updates import Wishes
from antiphon_server.auth.service.users import NewUser
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason
from tests.auth.test_recorded import kinds
from tests.auth.world import OPERATOR, PASSWORD, World, contents, error, reason

NEW = "eleven purple elephants"
HOUR = 3600.0


async def signed_in(world: World) -> tuple[User, Principal, str]:
    """A user, who they are to the service, and their refresh token."""
    user = await world.user()
    tokens = (await world.login()).tokens
    return user, Principal("user", user.user_id, tokens.session_id), tokens.refresh_token


async def change(world: World, caller: Principal, old: str = PASSWORD, new: str = NEW) -> None:
    """Change the password from one address."""
    await world.accounts.password_changes.change(caller, old, new, "192.0.2.1")


@pytest.mark.parametrize(
    "password",
    [
        "zwölf zwölf1",
        "            7 blanks and more",
        "длинный пароль",
        "🦊🦉🐝🦔🐌🦆🐢🦎🐙🦀🐠🐳",
    ],
)
async def test_long_passwords_of_any_characters_are_good(world: World, password: str) -> None:
    """Blanks, any script and emoji; no class of characters is asked for."""
    await world.user("ann", password)
    await world.login("ann", password)


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("elevenchars", "at least 12 characters"),
        ("\ufdfa" * 60, "at most 1024 bytes"),  # 180 bytes as typed, 1,980 once folded
        ("aaaaaaaaaaaaaaaa", "repeated"),
        ("abcabcabcabcabc", "repeated"),
        ("AntiphonAntiphon", "name"),
        ("antiphon12345", "name"),
        ("Ann-Marie1234", "name"),
        ("annmarie.annmarie", "name"),
        ("\uff2darie \uff21nn Marie", "name"),  # full-width letters fold into plain ones
    ],
)
async def test_weak_passwords_are_refused(world: World, password: str, rule: str) -> None:
    """Short ones, too long ones, and those that are one's name or a few keys repeated."""
    new = NewUser("annmarie", password, display_name="Ann Marie")
    refused = await error(world.accounts.users.create(OPERATOR, new))
    (violation,) = refused.violations
    assert violation.field == "password"
    assert rule in violation.description


@pytest.mark.parametrize("password", ["password1234", "Password1234", "1qaz2wsx3edc"])
async def test_breached_passwords_are_refused(world: World, password: str) -> None:
    """Wherever one is set, in any case of letters, before anything is hashed."""
    user, caller, _ = await signed_in(world)
    token, _ = await world.accounts.password_resets.create(user.user_id)
    before = world.hasher.evaluations
    for attempt in (
        world.user("bob", password),
        change(world, caller, new=password),
        world.accounts.password_resets.use(token, password),
    ):
        assert await reason(attempt) is Reason.PASSWORD_BREACHED
    assert world.hasher.evaluations == before


async def test_a_change_ends_the_other_sessions(world: World) -> None:
    """The calling one lives on; only the new password opens another."""
    _, caller, refresh = await signed_in(world)
    other = (await world.login()).tokens
    await change(world, caller)
    await world.refresh(refresh)
    assert await reason(world.verify(other.access_token)) is Reason.SESSION_REVOKED
    assert await reason(world.login()) is Reason.CREDENTIALS_INVALID
    await world.login(password=NEW)


async def test_a_wrong_old_password_is_a_guess(world: World) -> None:
    """Each costs one evaluation; five are counted together with those at login."""
    _, caller, _ = await signed_in(world)
    before = world.hasher.evaluations
    for number in range(5):
        guess = (
            change(world, caller, f"wrong {number}") if number % 2 else world.login(password="x")
        )
        assert await reason(guess) is Reason.CREDENTIALS_INVALID
    assert world.hasher.evaluations == before + 5
    assert await reason(change(world, caller)) is Reason.TOO_MANY_ATTEMPTS
    assert world.hasher.evaluations == before + 5
    await world.accounts.sessions.get(caller.session_id)


async def test_of_parallel_guesses_in_a_session_five_are_evaluated(world: World) -> None:
    """Of 200 at once, as at login."""
    _, caller, _ = await signed_in(world)
    before = world.hasher.evaluations
    guesses = (change(world, caller, f"wrong {number}") for number in range(200))
    await asyncio.gather(*guesses, return_exceptions=True)
    assert world.hasher.evaluations == before + 5


async def test_who_has_no_password_has_none_to_change(world: World) -> None:
    """It costs what a wrong one costs; a service has no account."""
    user = await world.user("ann", "")
    caller = Principal("user", user.user_id, SessionId("sess_x"))
    before = world.hasher.evaluations
    assert await reason(change(world, caller)) is Reason.CREDENTIALS_INVALID
    assert world.hasher.evaluations == before + 1
    service = replace(caller, kind="service", user_id=UserId("dispatcher"))
    assert await reason(change(world, service)) is Reason.NOT_FOUND


async def test_of_parallel_changes_one_counts(world: World) -> None:
    """Ten with the same old password: one new password is in force, nine are refused."""
    _, caller, _ = await signed_in(world)
    changes = (change(world, caller, new=f"{NEW} {number}") for number in range(10))
    outcomes = await asyncio.gather(*changes, return_exceptions=True)
    (winner,) = (number for number, outcome in enumerate(outcomes) if outcome is None)
    world.clock.time += HOUR  # all ten were counted before they were evaluated
    await world.login(password=f"{NEW} {winner}")


async def test_a_login_under_way_does_not_survive_a_change(world: World) -> None:
    """Whenever a login with the old password meets the change, no session of it is left."""
    for number in range(20):
        user = await world.user(f"ann{number}")
        kept = (await world.login(user.name)).tokens.session_id
        caller = Principal("user", user.user_id, kept)
        login = asyncio.create_task(world.login(user.name))
        await asyncio.sleep(number / 5_000)
        await change(world, caller)
        await asyncio.gather(login, return_exceptions=True)
        live = await world.accounts.sessions.list_live(caller, "", None, 9)
        assert [session.session_id for session in live] == [kept]


async def test_a_reset_sets_a_password_once(world: World) -> None:
    """All sessions end; the token works no more, and no guess locks the new password out."""
    user, _, refresh = await signed_in(world)
    token, expires = await world.accounts.password_resets.create(user.user_id)
    assert expires == int((world.clock.time + HOUR) * 1_000_000)
    await world.accounts.password_resets.use(token, NEW)
    assert await reason(world.refresh(refresh)) is Reason.SESSION_REVOKED
    again = world.accounts.password_resets.use(token, NEW)
    assert await reason(again) is Reason.CREDENTIALS_INVALID
    assert await reason(world.login()) is Reason.CREDENTIALS_INVALID
    await world.login(password=NEW)


@pytest.mark.parametrize("api_keys", [True, False])
async def test_a_reset_revokes_keys_if_the_operator_says_so(world: World, api_keys: bool) -> None:
    """As of an account that somebody else had in hand, and only when the password is set."""
    user = await world.user()
    _, secret = await world.accounts.api_keys.create(user.user_id, "ci", None)
    token, _ = await world.accounts.password_resets.create(user.user_id, api_keys=api_keys)
    await world.login_by_key(secret)
    await world.accounts.password_resets.use(token, NEW)
    if not api_keys:
        await world.login_by_key(secret)
        return
    told = ["password_reset_used", "api_key_revoked", "session_revoked"]
    assert (await kinds(world))[-3:] == told
    assert await reason(world.login_by_key(secret)) is Reason.CREDENTIALS_INVALID
    assert await world.accounts.api_keys.list_keys(user.user_id, None, 9) == []


async def test_a_refused_password_leaves_the_reset_usable(world: World) -> None:
    """One may choose again until one is good."""
    user = await world.user()
    token, _ = await world.accounts.password_resets.create(user.user_id)
    for bad in ("short", "ann" * 5, "password1234"):
        with pytest.raises(DomainError):
            await world.accounts.password_resets.use(token, bad)
    await world.accounts.password_resets.use(token, NEW)


async def test_resets_die(world: World) -> None:
    """With a newer one, a change of the password, a disabling, and after an hour."""
    user, caller, _ = await signed_in(world)
    use, create = (
        world.accounts.password_resets.use,
        world.accounts.password_resets.create,
    )
    older, _ = await create(user.user_id)
    newer, _ = await create(user.user_id)
    assert await reason(use(older, NEW)) is Reason.CREDENTIALS_INVALID
    await change(world, caller, new=f"{NEW} 2")
    assert await reason(use(newer, NEW)) is Reason.CREDENTIALS_INVALID
    shut, _ = await create(user.user_id)
    for disabled in (True, False):
        await world.accounts.user_updates.update(user.user_id, Wishes(disabled=disabled))
        assert await reason(use(shut, NEW)) is Reason.CREDENTIALS_INVALID
    late, _ = await create(user.user_id)
    world.clock.time += HOUR
    assert await reason(use(late, NEW)) is Reason.CREDENTIALS_INVALID


async def test_a_disabled_user_is_told_so_by_the_right_token_alone(world: World) -> None:
    """A reset made meanwhile works once the account is enabled again."""
    user = await world.user()
    await world.accounts.user_updates.update(user.user_id, Wishes(disabled=True))
    token, _ = await world.accounts.password_resets.create(user.user_id)
    use = world.accounts.password_resets.use
    assert await reason(use(token, NEW)) is Reason.USER_DISABLED
    assert await reason(use(new_secret(PREFIX), NEW)) is Reason.CREDENTIALS_INVALID
    await world.accounts.user_updates.update(user.user_id, Wishes(disabled=False))
    await use(token, NEW)


async def test_of_parallel_resets_one_counts(world: World) -> None:
    """50 at once, ten times: one sets its password, 49 are refused."""
    for turn in range(10):
        user = await world.user(f"ann{turn}")
        token, _ = await world.accounts.password_resets.create(user.user_id)
        uses = (
            world.accounts.password_resets.use(token, f"{NEW} {number}") for number in range(50)
        )
        outcomes = await asyncio.gather(*uses, return_exceptions=True)
        (winner,) = (number for number, outcome in enumerate(outcomes) if outcome is None)
        refused = {getattr(it, "reason", it) for it in outcomes if it is not None}
        assert refused == {Reason.CREDENTIALS_INVALID}
        await world.login(user.name, f"{NEW} {winner}")


async def test_a_reset_is_for_people(world: World) -> None:
    """Programs have no password, and nobody has none either."""
    user = await world.user("worker", "", kind=UserKind.PROGRAM)
    create = world.accounts.password_resets.create
    assert await reason(create(user.user_id)) is Reason.INVALID_ARGUMENT
    assert await reason(create(OPERATOR.user_id)) is Reason.NOT_FOUND


@pytest.mark.parametrize(
    "token",
    ["", "antp_", new_secret(), new_secret(PREFIX) + "x", "antp_\0"],
    ids=["nothing", "prefix", "key", "long", "zero"],
)
async def test_what_is_no_token_is_refused_for_nothing(world: World, token: str) -> None:
    """Nothing is hashed and nothing is asked of the store; an API key is no token."""
    before = world.hasher.evaluations
    attempt = world.accounts.password_resets.use(token, NEW)
    assert await reason(attempt) is Reason.CREDENTIALS_INVALID
    assert world.hasher.evaluations == before


async def test_only_hashes_are_stored(world: World, tmp_path: Path) -> None:
    """Neither the token nor a password is in any file."""
    user = await world.user()
    token, _ = await world.accounts.password_resets.create(user.user_id)
    await world.accounts.password_resets.use(token, NEW)
    unused, _ = await world.accounts.password_resets.create(user.user_id)
    kept = contents(tmp_path)
    for secret in (token, unused, NEW, PASSWORD):
        assert secret.encode() not in kept
