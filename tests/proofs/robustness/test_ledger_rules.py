"""The ledger's validator finds the histories in which it differs from the endpoint's truth."""

from dataclasses import replace

import pytest

from tests.proofs.robustness.history import Call, History, Sent, Served, Stop
from tests.proofs.robustness.ledger_rules import SETTLED_S, ledger_is_truth
from tests.proofs.robustness.test_validators import WHOLE, broken, history, reader
from tests.proofs.robustness.validators import violations

WHOLE_ANSWER = Served("turn_1", True, (11, 20), 100, 40)
CUT_ANSWER = Served("turn_1", False, (11, 20), 40, 40)
RIGHT = Call("turn_1", "SUCCEEDED", 11, 20, False)
GUESSED = Call("turn_1", "UNKNOWN", 9, 0, True)
FAILED = replace(GUESSED, outcome="FAILED")
CANCELLED = replace(GUESSED, outcome="CANCELLED", output_tokens=10)


def ledger(served: list[Served], calls: list[Call], *, deaths: int = 0) -> History:
    """A turn in whose time the server was ended so many times."""
    it = history(reader(*WHOLE))
    it.sent = [Sent("hi", "", "turn_1", tries=[2.0], answers=[(3.0, "msg_q")])]
    it.served, it.calls, it.deaths = served, calls, [(4.0, 4.1)] * deaths
    return it


@pytest.mark.parametrize(
    ("served", "calls", "deaths"),
    [
        ([WHOLE_ANSWER], [RIGHT], 0),
        ([WHOLE_ANSWER], [GUESSED], 1),
        ([CUT_ANSWER], [CANCELLED], 1),
        ([WHOLE_ANSWER], [replace(FAILED, reason="MODEL_TIMEOUT")], 0),
        ([], [GUESSED], 1),
        ([CUT_ANSWER, WHOLE_ANSWER], [FAILED, RIGHT], 0),
        ([], [], 0),
    ],
    ids=["whole", "died", "drained", "too late", "never sent", "second try", "none"],
)
def test_a_right_ledger_breaks_nothing(
    served: list[Served], calls: list[Call], deaths: int
) -> None:
    """What the endpoint knows and what the ledger says agree."""
    assert violations(ledger(served, calls, deaths=deaths)) == []


def test_the_ledger_of_a_stopped_turn_breaks_nothing() -> None:
    """Who stops a turn cuts its request short, or keeps it from being sent."""
    for served in ([CUT_ANSWER], []):
        it = ledger(served, [replace(CANCELLED, output_tokens=len(served))])
        it.stops = [Stop("turn_1", "SUCCEEDED", 6)]
        assert violations(it) == []


@pytest.mark.parametrize("death", [(0.5, 1.0), (5.0 + SETTLED_S + 0.1, 99.0)])
def test_a_death_in_another_time_explains_nothing(death: tuple[float, float]) -> None:
    """The server's end before a turn came, or when it was long over, is no reason."""
    it = ledger([WHOLE_ANSWER], [GUESSED])
    it.deaths = [death]
    assert broken(ledger_is_truth, it)


@pytest.mark.parametrize(
    ("served", "calls"),
    [
        ([WHOLE_ANSWER], []),
        ([WHOLE_ANSWER, CUT_ANSWER], [RIGHT]),
        ([CUT_ANSWER], [RIGHT]),
        ([], [RIGHT]),
        ([WHOLE_ANSWER], [replace(RIGHT, output_tokens=21)]),
        ([WHOLE_ANSWER], [replace(RIGHT, estimated=True)]),
        ([WHOLE_ANSWER], [FAILED]),
        ([CUT_ANSWER], [replace(FAILED, output_tokens=12)]),
        ([CUT_ANSWER], [replace(FAILED, input_tokens=3, estimated=False)]),
        ([CUT_ANSWER], [replace(FAILED, input_tokens=22)]),
        ([WHOLE_ANSWER], [GUESSED]),
        ([CUT_ANSWER], [CANCELLED]),
        ([WHOLE_ANSWER], [RIGHT, FAILED]),
    ],
    ids=[
        "no entry",
        "a request without entry",
        "a success that was none",
        "a success out of nothing",
        "other tokens",
        "estimated though reported",
        "a failure that was none",
        "more than was sent",
        "tokens that nobody reported",
        "more input than was asked",
        "unknown without a death",
        "cancelled by nobody",
        "an entry without a request",
    ],
)
def test_a_wrong_ledger_is_found(served: list[Served], calls: list[Call]) -> None:
    """What the endpoint knows and what the ledger says differ."""
    assert broken(ledger_is_truth, ledger(served, calls))


@pytest.mark.parametrize("call", [replace(GUESSED, input_tokens=10**6), GUESSED])
def test_phantoms_are_found(call: Call) -> None:
    """A death explains one entry without a request, of a prompt that there can be."""
    it = ledger([WHOLE_ANSWER], [RIGHT, *[call] * (2 if call is GUESSED else 1)], deaths=1)
    assert broken(ledger_is_truth, it)


def test_a_wrong_sum_is_found() -> None:
    """GetUsage's total is the sum of its entries."""
    it = ledger([WHOLE_ANSWER], [RIGHT])
    it.total, it.added = (11, 21), (11, 20)
    assert broken(ledger_is_truth, it)
