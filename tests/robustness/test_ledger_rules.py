"""The ledger's validator finds the histories in which it differs from the endpoint's truth."""

from dataclasses import replace

import pytest

from tests.robustness.history import Call, History, Served
from tests.robustness.ledger_rules import ledger_is_truth
from tests.robustness.test_validators import broken, history
from tests.robustness.validators import violations

WHOLE_ANSWER = Served("turn_1", True, (11, 20), 100)
CUT_ANSWER = Served("turn_1", False, (11, 20), 40)
RIGHT = Call("turn_1", "SUCCEEDED", 11, 20, False)
GUESSED = Call("turn_1", "UNKNOWN", 9, 0, True)


def ledger(served: list[Served], calls: list[Call]) -> History:
    it = history()
    it.served, it.calls = served, calls
    return it


@pytest.mark.parametrize(
    ("served", "calls"),
    [
        ([WHOLE_ANSWER], [RIGHT]),
        ([CUT_ANSWER], [replace(GUESSED, outcome="CANCELLED", output_tokens=10)]),
        ([WHOLE_ANSWER], [GUESSED]),
        ([WHOLE_ANSWER], [replace(GUESSED, outcome="FAILED", reason="MODEL_TIMEOUT")]),
        ([], [GUESSED]),
        ([CUT_ANSWER, WHOLE_ANSWER], [replace(GUESSED, outcome="FAILED"), RIGHT]),
        ([], []),
    ],
    ids=["whole", "stopped", "died", "too late", "never sent", "second try", "none"],
)
def test_a_right_ledger_breaks_nothing(served: list[Served], calls: list[Call]) -> None:
    """What the endpoint knows and what the ledger says agree."""
    assert violations(ledger(served, calls)) == []


@pytest.mark.parametrize(
    ("served", "calls"),
    [
        ([WHOLE_ANSWER], []),
        ([WHOLE_ANSWER, CUT_ANSWER], [RIGHT]),
        ([CUT_ANSWER], [RIGHT]),
        ([], [RIGHT]),
        ([WHOLE_ANSWER], [replace(RIGHT, output_tokens=21)]),
        ([WHOLE_ANSWER], [replace(RIGHT, estimated=True)]),
        ([WHOLE_ANSWER], [replace(GUESSED, outcome="FAILED")]),
        ([CUT_ANSWER], [replace(GUESSED, output_tokens=12)]),
        ([CUT_ANSWER], [replace(GUESSED, input_tokens=3, estimated=False)]),
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
    ],
)
def test_a_wrong_ledger_is_found(served: list[Served], calls: list[Call]) -> None:
    """What the endpoint knows and what the ledger says differ."""
    assert broken(ledger_is_truth, ledger(served, calls))


def test_a_wrong_sum_is_found() -> None:
    """GetUsage's total is the sum of its entries."""
    it = ledger([WHOLE_ANSWER], [RIGHT])
    it.total, it.added = (11, 21), (11, 20)
    assert broken(ledger_is_truth, it)
