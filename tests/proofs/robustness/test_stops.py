"""The validators of stops and ends find what goes on, or is told to go on, after them."""

import pytest

from tests.proofs.robustness.history import History, Served, Stop, Told
from tests.proofs.robustness.stops import TOLD_S, ends_are_told, stop_reaches_the_model


def stopped(received: float, over: float | None, *, early: bool = False) -> History:
    """A turn that was stopped at 10 s, whose model was asked."""
    return History(
        stops=[Stop("turn_1", "CANCELLED", 6, early, at=10.0)],
        served=[Served("turn_1", False, (11, 20), 40, 9, received, over)],
    )


@pytest.mark.parametrize(
    ("received", "over"),
    [(8.0, 9.0), (9.0, 10.1), (10.5, 10.6)],
    ids=["over before", "told", "asked meanwhile, and told"],
)
def test_a_model_that_is_told_of_a_stop_breaks_nothing(received: float, over: float) -> None:
    """A request that ends before the stop or soon after it is right."""
    assert list(stop_reaches_the_model(stopped(received, over))) == []


@pytest.mark.parametrize("over", [None, 10.1 + TOLD_S])
def test_a_model_that_is_not_told_of_a_stop_is_found(over: float | None) -> None:
    """A request that goes on after the stop, even to a whole answer, is paid for by somebody."""
    assert list(stop_reaches_the_model(stopped(9.0, over)))


def test_a_model_that_is_asked_after_an_early_stop_is_found() -> None:
    """A turn that was stopped before it came asks nobody."""
    assert list(stop_reaches_the_model(stopped(11.0, 11.1, early=True)))


@pytest.mark.parametrize("call", ["GetTurn", "ListTurns"])
def test_an_end_that_is_not_told_is_found(call: str) -> None:
    """A turn whose end was seen has ended, whoever is asked."""
    assert list(ends_are_told(History(told=[Told("turn_1", "FAILED", call, "RUNNING")])))
    assert not list(ends_are_told(History(told=[Told("turn_1", "FAILED", call, "FAILED")])))
