"""Planted defects are caught; ``python -m tests.proofs.robustness.mutation`` tries all of them."""

from pathlib import Path

import pytest

from tests.proofs.robustness.mutation.defect import Defect
from tests.proofs.robustness.mutation.defects import DEFECTS
from tests.proofs.robustness.mutation.replacing import NothingToReplace, find
from tests.proofs.robustness.mutation.trials import short, trials


@pytest.mark.needs("strace")
@pytest.mark.proof
@pytest.mark.timeout(600)
async def test_a_defect_in_each_mechanism_is_caught(tmp_path: Path) -> None:
    """With one defect something is found, with none nothing."""
    came = await trials(tmp_path, short())
    print(*(trial.line for trial in came), sep="\n")
    assert [(trial.line, trial.first) for trial in came if not trial.right] == []


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_each_defect_has_a_place(defect: Defect) -> None:
    """What is replaced exists: a defect that is planted nowhere would prove nothing."""
    assert find(defect.where)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_each_defect_has_rules_that_must_catch_it(defect: Defect) -> None:
    """A defect that anything may catch would be caught by a failure that has nothing to do."""
    assert defect.rules


def test_a_function_that_is_gone_is_an_error() -> None:
    """A defect does not go away silently with the function that it is planted in."""
    with pytest.raises(NothingToReplace):
        find("antiphon_server.events.hub:Hub.gone")


def test_the_short_form_has_one_of_each_mechanism() -> None:
    """What must not break is tried in each run."""
    assert {it.mechanism for it in DEFECTS if it.short} >= {
        "durability",
        "fan-out",
        "deltas",
        "cursors",
        "stop",
        "leases",
        "idempotency",
        "ledger",
        "access",
    }
