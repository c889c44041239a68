"""How notifications are signed, for whom they are, and when they are posted again."""

import base64
from dataclasses import replace

import pytest

from antiphon_server.notifying.matching import wants
from antiphon_server.notifying.model import (
    About,
    Attempt,
    Claimed,
    Delivery,
    DisabledReason,
    Filter,
    Kind,
    Note,
    Outcome,
    Secret,
    State,
    Verdict,
    Webhook,
)
from antiphon_server.notifying.retrying import PATIENCE_US, PAUSES_S, noted, verdict
from antiphon_server.notifying.signing import headers, shown, valid

ANN, HOME = "users/user_0000000ann", "ws_00000001"
ABOUT = About(Kind.TURN_ENDED, 4, "echo", HOME, "conv_00000001")
NOTE = Note("ntf_1", ANN, 5, b"", ABOUT)
SECOND_US = 1_000_000


ALL = Filter()


def hook(owner: str = ANN, wanted: Filter = ALL, failing_us: int | None = None) -> Webhook:
    """A webhook."""
    url = "https://hooks.example/in"
    return Webhook("wh_00000001", owner, ANN, 1, url, b"", wanted, (), failing_us=failing_us)


def claimed(attempts: int = 0, failing_us: int | None = None) -> Claimed:
    """A delivery that was tried so often before."""
    delivery = Delivery("wh_00000001", "ntf_1", "hooks.example:443", 5, b"{}", attempts=attempts)
    return Claimed(delivery, hook(failing_us=failing_us))


def test_signatures_are_those_of_the_specification() -> None:
    """The example by which its libraries are tested (standard-webhooks, libraries/*/test)."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [key])
    assert made == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert shown(key) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_only_secrets_that_are_valid_sign() -> None:
    new, old, older = Secret(b"new"), Secret(b"old", 20), Secret(b"older", 10)
    assert valid((new, old, older), 10) == [new, old]


@pytest.mark.parametrize(
    ("owner", "wanted", "does"),
    [
        (ANN, ALL, True),
        (f"workspaces/{HOME}", ALL, True),
        ("users/user_0000000bob", ALL, False),
        ("workspaces/ws_00000002", ALL, False),
        (ANN, Filter(kinds=frozenset({1})), True),
        (ANN, Filter(kinds=frozenset({2})), False),
        (ANN, Filter(states=frozenset({4, 5})), True),
        (ANN, Filter(states=frozenset({5})), False),
        (ANN, Filter(handlers=frozenset({"echo"})), True),
        (ANN, Filter(handlers=frozenset({"other"})), False),
        (ANN, Filter(workspaces=frozenset({HOME})), True),
        (ANN, Filter(workspaces=frozenset({"ws_00000002"})), False),
    ],
)
def test_a_webhook_wants_its_owners_turns_and_what_its_filter_lets_pass(
    owner: str, wanted: Filter, does: bool
) -> None:
    assert wants(hook(owner, wanted), NOTE) is does


def test_states_limit_ends_alone() -> None:
    waits = Note("ntf_2", ANN, 5, b"", About(Kind.TURN_WAITING, 3, "echo", HOME, "conv_00000001"))
    assert wants(hook(wanted=Filter(states=frozenset({5}))), waits)


def test_what_is_taken_is_done() -> None:
    assert verdict(claimed(), Attempt(Outcome.TAKEN, 200), 9).state is State.DELIVERED


@pytest.mark.parametrize("made", range(len(PAUSES_S)))
def test_each_failure_has_its_pause(made: int) -> None:
    for spread in (min, max):
        found = verdict(claimed(made), Attempt(Outcome.REFUSED, 500), 0, spread)
        assert found.next_us is not None
        pause_s = found.next_us / SECOND_US
        assert PAUSES_S[made] <= pause_s <= 1.2 * PAUSES_S[made]


def test_behind_the_last_one_it_has_failed_and_its_webhook_goes_on() -> None:
    found = verdict(claimed(len(PAUSES_S)), Attempt(Outcome.TIMEOUT), 0)
    assert (found.state, found.disable) == (State.FAILED, DisabledReason.NONE)


def test_the_receiver_may_ask_for_longer_pauses_and_not_for_shorter_ones() -> None:
    longer = verdict(claimed(), Attempt(Outcome.REFUSED, 503, retry_after_s=600), 0)
    shorter = verdict(claimed(1), Attempt(Outcome.REFUSED, 503, retry_after_s=1), 0)
    endless = verdict(claimed(), Attempt(Outcome.REFUSED, 503, retry_after_s=1e12), 0)
    assert longer.next_us == 600 * SECOND_US
    assert shorter.next_us is not None
    assert shorter.next_us >= PAUSES_S[1] * SECOND_US
    assert endless.next_us is not None
    assert endless.next_us < 30 * 3600 * SECOND_US


def test_one_that_is_gone_is_told_no_more() -> None:
    found = verdict(claimed(), Attempt(Outcome.REFUSED, 410), 0)
    assert (found.state, found.disable) == (State.FAILED, DisabledReason.GONE)


def test_one_that_took_nothing_for_days_is_told_no_more() -> None:
    failed = Attempt(Outcome.UNREACHABLE)
    assert verdict(claimed(3, failing_us=0), failed, PATIENCE_US - 1).state is State.WAITING
    found = verdict(claimed(3, failing_us=0), failed, PATIENCE_US)
    assert (found.state, found.disable) == (State.FAILED, DisabledReason.FAILING)


def test_what_an_attempt_makes_of_its_webhook() -> None:
    """It fails from the first on that isn't taken; what was not posted says nothing."""
    waits, failing = Verdict(State.WAITING, 9), hook(failing_us=5)
    assert noted(hook(), Attempt(Outcome.TIMEOUT), waits, 7).failing_us == 7
    assert noted(failing, Attempt(Outcome.REFUSED, 500), waits, 7).failing_us == 5
    assert noted(failing, Attempt(Outcome.TAKEN), waits, 7).failing_us is None
    assert noted(failing, Attempt(Outcome.ACCESS_LOST), waits, 7) == failing


def test_one_is_disabled_once() -> None:
    gone = Verdict(State.FAILED, None, DisabledReason.GONE)
    after = noted(hook(), Attempt(Outcome.REFUSED, 410), gone, 7)
    assert (after.disabled, bool(after.etag)) == (DisabledReason.GONE, True)
    off = replace(hook(), disabled=DisabledReason.BY_HAND, etag="etag_1")
    again = noted(off, Attempt(Outcome.REFUSED, 410), gone, 7)
    assert (again.disabled, again.etag) == (DisabledReason.BY_HAND, "etag_1")
