"""What people and programs do is recorded, by the time they are answered, and without a secret."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from antiphon.auth.v1 import audit_pb2
from antiphon_server.auth import audit_encoding
from antiphon_server.auth.adapters.recorded_policy import RecordedPolicy
from antiphon_server.auth.model import LoginMethod, Origin
from antiphon_server.auth.model.chain import ALL
from antiphon_server.auth.service.test_user import NAME, USER_ID
from antiphon_server.auth.service.user_updates import Wishes
from antiphon_server.runtime.access.permissions import Permission, Rule
from antiphon_server.runtime.access.policy import Decision, Question, decide
from antiphon_server.runtime.access.principal import ANONYMOUS, Principal, UserId, set_principal
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.net.addresses import LOCAL, set_address
from tests.auth.world import OPERATOR, PASSWORD, World, contents, open_world, reason


async def events(world: World) -> list[audit_pb2.SecurityEvent]:
    """All events so far, the oldest first."""
    found = await world.stores.security_events.after(0, ALL, 10_000)
    return [audit_encoding.opened(event) for event in found]


async def kinds(world: World) -> list[str | None]:
    """What happened, in order."""
    return [event.WhichOneof("detail") for event in await events(world)]


async def last(world: World) -> audit_pb2.SecurityEvent:
    """The newest event."""
    return (await events(world))[-1]


async def as_caller(world: World, token: str) -> Principal:
    """Call as the token's owner from here on."""
    principal = await world.verify(token)
    set_principal(principal)
    return principal


async def test_a_day_is_recorded_in_order(world: World) -> None:
    """From the account to its end: each event when it happened, with whom it concerns."""
    user = await world.user()
    tokens = (await world.login()).tokens
    caller = await as_caller(world, tokens.access_token)
    key, _secret = await world.accounts.api_keys.create(user.user_id, "ci", None)
    await world.accounts.api_keys.revoke(key.key_id)
    other = (await world.login()).tokens
    await world.accounts.sessions.revoke(caller, other.session_id)
    await world.accounts.sessions.revoke(caller, caller.session_id)
    set_principal(OPERATOR)
    await world.accounts.user_updates.update(user.user_id, Wishes(disabled=True))
    await world.tokens.signing_keys.rotate()
    assert await kinds(world) == [
        "signing_keys_rotated",
        "user_created",
        "signed_in",
        "api_key_created",
        "api_key_revoked",
        "signed_in",
        "session_revoked",
        "signed_out",
        "user_disabled",
        "signing_keys_rotated",
    ]
    assert {event.user_id for event in (await events(world))[1:-1]} == {user.user_id}


async def test_what_becomes_of_the_test_user_is_recorded(world: World) -> None:
    """As with anybody: made, a new password at each start, shut out, and let in again."""
    for _ in range(2):
        await world.login(NAME, await world.accounts.test_user.admit())
    await world.accounts.test_user.shut_out()
    await world.accounts.test_user.admit()
    assert (await kinds(world))[1:] == [
        "user_created",
        "password_changed",
        "signed_in",
        "password_changed",
        "session_revoked",
        "signed_in",
        "user_disabled",
        "session_revoked",
        "user_enabled",
        "password_changed",
    ]
    told = (await events(world))[1:]
    assert {event.user_id for event in told} == {USER_ID}
    causes = [it.session_revoked.cause for it in told if it.HasField("session_revoked")]
    cause = audit_pb2.RevocationCause
    assert causes == [cause.REVOCATION_CAUSE_PASSWORD_CHANGED, cause.REVOCATION_CAUSE_USER_DISABLED]


async def test_what_a_program_does_all_day_fills_no_trail(world: World) -> None:
    """A key's sign-ins are counted, and that they end by themselves is not told.

    By its own sign-out, by newer ones, or when they run out; that somebody ended one is.
    """
    user = await world.user()
    key, secret = await world.accounts.api_keys.create(user.user_id, "ci", None)
    for _ in range(3):
        signed_in = await world.signing_in.login.by_api_key(secret, "ci", "192.0.2.1")
        caller = await as_caller(world, signed_in.tokens.access_token)
        await world.accounts.sessions.revoke(caller, caller.session_id)
    origin = Origin(LoginMethod.CLIENT_CREDENTIALS)
    for _ in range(3):
        evicting = await world.accounts.sessions.open(user, origin, key, refreshable=False, most=1)
    assert len(await world.stores.endings.after(0, 9)) == 5
    world.clock.time += 86_400
    for _ in range(2):
        await world.auth.background.expirations.look()
    ran_out = await world.accounts.sessions.get(evicting.tokens.session_id)
    assert ran_out.end_time == ran_out.expire_time
    left = await world.signing_in.login.by_api_key(secret, "ci", "192.0.2.1")
    await world.accounts.sessions.revoke(OPERATOR, left.tokens.session_id)
    found = await kinds(world)
    told = ("signed_out", "session_expired", "session_revoked")
    assert [kind for kind in found if kind in told] == ["session_revoked"]


async def test_failures_say_why_to_those_who_look(world: World) -> None:
    """A name is a keyed hash, the same for the same name; a known account is named."""
    user = await world.user()
    await reason(world.login("ann", "wrong"))
    wrong = await last(world)
    await reason(world.login("nobody", "wrong"))
    unknown = await last(world)
    assert wrong.sign_in_failed.failure == audit_pb2.SIGN_IN_FAILURE_WRONG_SECRET
    assert wrong.user_id == user.user_id
    assert (unknown.sign_in_failed.failure, unknown.user_id) == (
        audit_pb2.SIGN_IN_FAILURE_UNKNOWN,
        "",
    )
    hashes = [wrong.sign_in_failed.name_hash, unknown.sign_in_failed.name_hash]
    assert hashes == [world.recording.sign_ins.name_hash(name) for name in ("ann", "nobody")]


async def test_refused_attempts_are_counted(world: World) -> None:
    """After five wrong guesses the rest are one event now and one at the minute's end."""
    await world.user()
    for _ in range(25):
        await reason(world.login("ann", "wrong"))
    await world.auth.coalesced.flush(all_of_it=True)
    refused = [event for event in await events(world) if event.HasField("sign_ins_refused")]
    assert [event.sign_ins_refused.count for event in refused] == [1, 19]


async def test_reuse_is_recorded_with_the_end_of_its_family(world: World) -> None:
    """Both name the session."""
    tokens = (await world.newcomer()).tokens
    await world.refresh(tokens.refresh_token)
    world.clock.time += 60
    assert await reason(world.refresh(tokens.refresh_token)) is Reason.SESSION_REVOKED
    await world.recording.alarms.flush()
    reused, revoked, alarm = (await events(world))[-3:]
    assert reused.refresh_token_reused.session_id == tokens.session_id
    assert revoked.session_revoked.session_id == tokens.session_id
    assert revoked.session_revoked.cause == audit_pb2.REVOCATION_CAUSE_REFRESH_TOKEN_REUSED
    assert alarm.alarm_raised.kind == audit_pb2.ALARM_KIND_REFRESH_TOKEN_REUSED


async def test_a_new_place_is_noticed(world: World) -> None:
    """The first is none, a known one is none; another one is, across restarts."""
    await world.user()
    places = ["192.0.2.1", "192.0.2.1", "198.51.100.7", "192.0.2.1", "198.51.100.7"]
    seen = []
    for place in places:
        set_address(place)
        await world.login()
        seen.append((await last(world)).signed_in.new_place)
    assert seen == [False, False, True, False, False]


async def test_a_key_is_told_once_a_minute_and_place(world: World) -> None:
    """However often it is used; the uses are counted."""
    user = await world.user()
    _key, secret = await world.accounts.api_keys.create(user.user_id, "ci", None)
    for address in ("192.0.2.1", "198.51.100.7"):
        set_address(address)
        for _ in range(20):
            await world.login_by_key(secret, "test")
    await world.auth.coalesced.flush(all_of_it=True)
    used = [event.api_key_used for event in await events(world) if event.HasField("api_key_used")]
    assert [(one.count, one.new_place) for one in used] == [
        (1, False),
        (1, True),
        (19, False),
        (19, False),
    ]


async def test_a_link_to_the_page_leads_to_no_new_place(world: World) -> None:
    """It signs in by the operator's key within the process, which is on this machine."""
    user = await world.user()
    _key, secret = await world.accounts.api_keys.create(user.user_id, "operator.key", None)
    for address in ("127.0.0.1", LOCAL, "127.0.0.1"):
        set_address(address)
        await world.login_by_key(secret, "web page, by a link")
    await world.auth.coalesced.flush(all_of_it=True)
    used = [event.api_key_used for event in await events(world) if event.HasField("api_key_used")]
    assert used
    assert not any(one.new_place for one in used)


class NoRoles:
    """A policy without roles."""

    async def decide(self, principal: Principal, rule: Rule, resource: str = "") -> Decision:
        """See :meth:`AccessPolicy.decide`."""
        return decide(Question(principal, rule, resource))


async def test_refusals_of_access_are_counted(world: World) -> None:
    """Of a thousand refused calls to two RPCs there are four events, none of allowed ones."""
    policy = RecordedPolicy(NoRoles(), world.auth.coalesced)
    caller = Principal("user", OPERATOR.user_id, OPERATOR.session_id)
    set_principal(caller)
    rules = [Rule(Permission.WRITE, method="/a/Write"), Rule(Permission.OPERATE, method="/a/Run")]
    for rule in rules * 500:
        assert not (await policy.decide(caller, rule, "ws_00000001")).allowed
    assert (await policy.decide(caller, Rule(Permission.AUTHENTICATED, method="/a/Own"))).allowed
    await world.auth.coalesced.flush(all_of_it=True)
    refused = [event for event in await events(world) if event.HasField("access_refused")]
    assert sum(event.access_refused.count for event in refused) == 1_000
    assert len(refused) <= 4
    first = refused[0]
    assert (first.access_refused.rpc, first.access_refused.resource) == ("/a/Write", "ws_00000001")
    assert first.actor == f"users/{caller.user_id}"
    set_principal(ANONYMOUS)


async def test_events_are_counted_for_prometheus(world: World) -> None:
    """Sign-ins, failures, endings, alarms and live sessions, as they are when scraped."""
    tokens = (await world.newcomer()).tokens
    await world.login()
    await reason(world.login("ann", "wrong"))
    await world.accounts.sessions.revoke(OPERATOR, tokens.session_id)
    await world.recording.session_count.look()
    registry = CollectorRegistry()
    collector: Any = world.recording.metrics
    registry.register(collector)
    text = generate_latest(registry).decode()
    for line in (
        'antiphon_sign_ins_total{method="password"} 2.0',
        'antiphon_sign_in_failures_total{method="password"} 1.0',
        'antiphon_sessions_ended_total{cause="requested"} 1.0',
        "antiphon_sessions_active 1.0",
    ):
        assert line in text


async def other_secrets(world: World, user_id: UserId) -> list[str]:
    """Passwords of changes and resets, reset tokens and device codes, each of them used."""
    changed, reset = "canary changed password", "canary password of a reset"
    caller = await as_caller(world, (await world.login()).tokens.access_token)
    await world.accounts.password_changes.change(caller, PASSWORD, changed, "192.0.2.1")
    started = await world.signing_in.device_logins.start("tv", "192.0.2.9")
    await world.signing_in.device_decisions.decide(caller, started.user_code, True)
    pair = (await world.signing_in.device_logins.claim(started.device_code)).tokens
    set_principal(OPERATOR)
    token, _ = await world.accounts.password_resets.create(user_id)
    await world.accounts.password_resets.use(token, reset)
    set_principal(ANONYMOUS)
    codes = [started.user_code, started.device_code]
    return [changed, reset, token, *codes, pair.access_token, pair.refresh_token]


async def test_no_secret_is_in_any_event(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After a day of use no password, token or key is in the table's bytes or in the log."""
    caplog.set_level("DEBUG")
    await world.auth.greet()
    user = await world.user()
    wrong = "canary wrong password"
    secrets = [PASSWORD, wrong, "canary name that is a password"]
    for name, password in (("ann", wrong), ("canary name that is a password", "x" * 20)):
        await reason(world.login(name, password))
    tokens = (await world.login()).tokens
    secrets += [tokens.access_token, tokens.refresh_token]
    pair = await world.refresh(tokens.refresh_token)
    secrets += [pair.access_token, pair.refresh_token]
    _key, secret = await world.accounts.api_keys.create(user.user_id, "ci", None)
    await world.login_by_key(secret, "test")
    typo = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    await reason(world.login_by_key(typo, "test"))
    secrets += [secret, secret[:-1], contents(tmp_path, "operator.key").decode().strip()]
    world.clock.time += 60
    await reason(world.refresh(tokens.refresh_token))
    await world.user("bob")
    secrets += await other_secrets(world, user.user_id)
    await world.tokens.signing_keys.rotate()
    _kid, private = world.tokens.signing_keys.signer()
    await world.auth.coalesced.flush(all_of_it=True)
    bodies = b"".join(
        event.body for event in await world.stores.security_events.after(0, ALL, 10_000)
    )
    raw = [private.private_bytes_raw(), *(text.encode() for text in secrets)]
    raw += [base64.urlsafe_b64encode(raw[0]).rstrip(b"="), raw[0].hex().encode()]
    assert len(bodies) > 1_000
    assert [one for one in raw if one in bodies or one in caplog.text.encode()] == []


async def test_what_expires_is_recorded_once(world: World) -> None:
    """Each session that nobody ended, in the order in which they ran out."""
    await world.user()
    first, ended = (await world.login()).tokens, (await world.login()).tokens
    world.clock.time += 60
    second = (await world.login()).tokens
    await world.accounts.sessions.revoke(OPERATOR, ended.session_id)
    await world.auth.background.expirations.look()
    assert "session_expired" not in await kinds(world)
    world.clock.time += 40 * 86_400
    for _ in range(3):
        await world.auth.background.expirations.look()
    told = [event for event in await events(world) if event.HasField("session_expired")]
    names = [event.session_expired.session_id for event in told]
    assert names == [first.session_id, second.session_id]
    assert {event.actor for event in told} == {"services/auth"}


async def test_a_clock_that_ran_ahead_for_one_look_ends_nothing(world: World) -> None:
    """Once it is put right the session lives on, and the trail tells of no end."""
    token = (await world.newcomer()).tokens.refresh_token
    for ahead in (0, 40 * 86_400, 0, 0):
        world.clock.time += ahead
        await world.auth.background.expirations.look()
        world.clock.time -= ahead
    await world.refresh(token)
    assert "session_expired" not in await kinds(world)


async def test_what_expired_while_the_server_stood_is_recorded(
    world: World, tmp_path: Path
) -> None:
    """Also if something else was recorded between its end and the stop; and by one of several."""
    tokens = (await world.newcomer()).tokens
    world.clock.time += 40 * 86_400
    await world.user("bob")
    await world.restart()
    other = await open_world(tmp_path, database=world.database, clock=world.clock)
    for _ in range(2):
        await asyncio.gather(*(one.auth.background.expirations.look() for one in (world, other)))
    told = [event for event in await events(world) if event.HasField("session_expired")]
    assert [event.session_expired.session_id for event in told] == [tokens.session_id]
    ended = await world.stores.sessions.get(tokens.session_id)
    assert ended is not None
    assert ended.end_time == ended.expire_time
    await other.close()
