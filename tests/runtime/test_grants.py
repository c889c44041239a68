"""A grant is what was issued, to the letter, and good for as long as its turn runs."""

import base64
import time

import pytest

from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.runtime.access.callers import CallersVerifier
from antiphon_server.runtime.access.grants import LONGEST, PREFIX, GrantTokens
from antiphon_server.runtime.access.principal import Grant, Principal, SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason

SECRET = MasterSecret(bytes(range(32)))
TOKENS = GrantTokens(SECRET)
ANN = UserId("user_ann00000")
KEYS = ("key_1", "key_2")
GRANT = Grant("turn_00000001", "conv_00000001", "ws_00000001", 3)
USER = Principal("user", ANN, SessionId("s"))
LATER = 2_000_000_000.25


class Running:
    """Turns that run until they are stopped."""

    def __init__(self) -> None:
        self.asked: list[Grant] = []
        self.stopped = False
        self.attempt = GRANT.attempt

    async def runs(self, grant: Grant, *, or_later: bool = False) -> bool:
        self.asked.append(grant)
        of_attempt = grant.attempt == self.attempt or (or_later and grant.attempt < self.attempt)
        return of_attempt and not self.stopped


class Sessions:
    """Knows one token of a session, and nothing of grants."""

    def __init__(self) -> None:
        self.rechecked: list[str] = []

    async def verify(self, token: str) -> Principal:
        if token != "session":
            raise DomainError(Reason.TOKEN_INVALID)
        return USER

    async def recheck(self, token: str, principal: Principal) -> None:
        self.rechecked.append(token)


def issued(until: float = LATER, grant: Grant = GRANT) -> str:
    return TOKENS.issue(grant, ANN, KEYS, until)


def refusal(token: str, tokens: GrantTokens = TOKENS) -> Reason:
    with pytest.raises(DomainError) as error:
        tokens.read(token)
    return error.value.reason


async def verdict(verifier: CallersVerifier, token: str) -> Reason:
    with pytest.raises(DomainError) as error:
        await verifier.verify(token)
    return error.value.reason


def test_who_holds_it_is_what_was_issued() -> None:
    """The turn's user and keys, the attempt, and when it is over."""
    assert TOKENS.read(issued()) == Principal(
        "grant", ANN, SessionId(""), expires_at=LATER, api_keys=KEYS, grant=GRANT
    )


def test_a_services_turn_has_a_grant_too() -> None:
    """In nobody's name."""
    principal = TOKENS.read(TOKENS.issue(GRANT, "", (), LATER))
    assert (principal.user_id, principal.api_keys) == ("", ())
    assert principal.actor == principal.counted_as == "turns/turn_00000001"


def test_the_worker_is_named_apart_from_the_user_who_pays() -> None:
    """The trail says who did it; limits count it as the user's."""
    principal = TOKENS.read(issued())
    assert (principal.actor, principal.counted_as) == ("turns/turn_00000001", f"users/{ANN}")
    assert not principal.operates
    assert USER.counted_as == USER.actor == f"users/{ANN}"


def test_no_character_can_be_altered_added_or_left_out() -> None:
    """Nor one spelling be turned into another of the same bytes."""
    token = issued()
    for at, was in enumerate(token):
        for other in "AQgw_-.=b\n\u00e9":
            if other != was:
                assert refusal(token[:at] + other + token[at + 1 :]) is Reason.TOKEN_INVALID
        assert refusal(token[:at] + token[at + 1 :]) is Reason.TOKEN_INVALID
        assert refusal(token[:at] + "A" + token[at:]) is Reason.TOKEN_INVALID
        assert refusal(token[:at]) is Reason.TOKEN_INVALID
    for more in ("=", ".", "\0", " ", token):
        assert refusal(token + more) is Reason.TOKEN_INVALID


def test_parts_of_two_grants_make_none() -> None:
    """What one says and what signs the other."""
    mine, other = issued(), issued(grant=Grant("turn_00000002", "conv_2", "ws_2", 1))
    (said, _), (_, mac) = mine.split("."), other.split(".")
    assert refusal(f"{said}.{mac}") is Reason.TOKEN_INVALID


def test_another_secret_or_purpose_signs_nothing_here() -> None:
    """Of another installation, or of what else this one derives."""
    others = GrantTokens(MasterSecret(bytes(32)))
    assert refusal(issued(), others) is Reason.TOKEN_INVALID
    assert GrantTokens(MasterSecret(bytes(range(32)))).read(issued()) == TOKENS.read(issued())


def test_what_is_too_long_is_not_looked_at() -> None:
    """As long as it may be it is read, and one key more is too much."""
    keys = ["key"]
    while len(TOKENS.issue(GRANT, ANN, [*keys, "key_0123456789"], LATER)) <= LONGEST:
        keys.append("key_0123456789")
    assert TOKENS.read(TOKENS.issue(GRANT, ANN, keys, LATER)).api_keys == tuple(keys)
    too_long = TOKENS.issue(GRANT, ANN, [*keys, "key_0123456789"], LATER)
    assert refusal(too_long) is Reason.TOKEN_INVALID


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"[]",
        b'[2,1.5,"turn","conv","ws",1,"user",[]]',
        b'[1,1.5,"turn","conv","ws","1","user",[]]',
        b'[1,1.5,"turn","conv","ws",1,"user"]',
    ],
)
def test_what_a_newer_server_signs_otherwise_is_invalid_here(payload: bytes) -> None:
    """It knows what it means; this one does not."""
    said = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()
    assert refusal(f"{PREFIX}{said}.{TOKENS._mac(said)}") is Reason.TOKEN_INVALID


def test_fields_that_a_newer_server_appends_are_not_read() -> None:
    """As in all that servers of two versions tell each other."""
    payload = b'[1,1.5,"turn","conv","ws",1,"user",[],"more"]'
    said = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()
    principal = TOKENS.read(f"{PREFIX}{said}.{TOKENS._mac(said)}")
    assert principal.grant == Grant("turn", "conv", "ws", 1)


async def test_every_call_asks_whether_the_turn_runs() -> None:
    """Nothing is remembered of the call before."""
    running = Running()
    verifier = CallersVerifier(Sessions(), TOKENS, running)
    token = issued(time.time() + 60)
    assert (await verifier.verify(token)).grant == GRANT
    assert (await verifier.verify(token)).grant == GRANT
    assert running.asked == [GRANT, GRANT]
    running.stopped = True
    assert await verdict(verifier, token) is Reason.TOKEN_EXPIRED


async def test_an_expired_or_forged_grant_asks_nobody() -> None:
    """Whoever floods with them costs no look at turns."""
    running = Running()
    verifier = CallersVerifier(Sessions(), TOKENS, running, clock=lambda: LATER)
    assert await verdict(verifier, issued(LATER)) is Reason.TOKEN_EXPIRED
    assert await verdict(verifier, issued(LATER + 1)[:-1]) is Reason.TOKEN_INVALID
    assert running.asked == []
    assert (await verifier.verify(issued(LATER + 1))).grant == GRANT


async def test_what_goes_on_by_a_grant_is_asked_of_its_turn() -> None:
    """That the token expires meanwhile, or the next attempt begins, is no reason to stop it.

    That its turn has ended is one; and nothing new is begun with what was replaced.
    """
    running, sessions = Running(), Sessions()
    verifier = CallersVerifier(sessions, TOKENS, running, clock=lambda: LATER)
    token = issued(LATER - 1)
    await verifier.recheck(token, TOKENS.read(token))
    running.attempt += 1
    await verifier.recheck(token, TOKENS.read(token))
    assert await verdict(verifier, issued(LATER + 1)) is Reason.TOKEN_EXPIRED
    running.stopped = True
    with pytest.raises(DomainError) as error:
        await verifier.recheck(token, TOKENS.read(token))
    assert error.value.reason is Reason.TOKEN_EXPIRED
    assert sessions.rechecked == []


async def test_all_other_tokens_are_of_sessions() -> None:
    """As if there were no grants."""
    sessions = Sessions()
    verifier = CallersVerifier(sessions, TOKENS, Running())
    assert await verifier.verify("session") is USER
    await verifier.recheck("session", USER)
    assert sessions.rechecked == ["session"]
    assert await verdict(verifier, "agr") is Reason.TOKEN_INVALID


async def test_one_that_can_not_be_asked_lets_nobody_in() -> None:
    """The dispatcher is away: that is said, and nothing is opened."""

    class Away(Running):
        async def runs(self, grant: Grant, *, or_later: bool = False) -> bool:
            raise DomainError(Reason.SERVICE_UNAVAILABLE, service="dispatcher")

    verifier = CallersVerifier(Sessions(), TOKENS, Away())
    assert await verdict(verifier, issued()) is Reason.SERVICE_UNAVAILABLE
