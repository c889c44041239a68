"""What is tried again is a share of what succeeds."""

import random

from antiphon_server.runtime.concurrency.retry_budget import RetryBudget


def test_an_outage_is_met_by_four_retries() -> None:
    """However many calls fail, and whether they come one by one or at once."""
    budget = RetryBudget()
    retries = 0
    for _ in range(10_000):
        budget.failed()
        retries += budget.allows
    assert retries == 4


def test_a_tenth_of_what_succeeds_is_earned() -> None:
    """Beside the four that are there at first, in whatever order it comes."""
    chance = random.Random(1)
    for share in (0.05, 0.5, 0.95):
        budget, retries, successes = RetryBudget(), 0, 0
        for _ in range(10_000):
            if chance.random() < share:
                budget.succeeded()
                successes += 1
            else:
                budget.failed()
                retries += budget.allows
        assert retries <= 4 + successes / 10


def test_seldom_failures_are_all_tried_again() -> None:
    """One of twenty."""
    budget = RetryBudget()
    for _ in range(1_000):
        for _ in range(19):
            budget.succeeded()
        budget.failed()
        assert budget.allows


def test_after_an_outage_it_is_earned_anew() -> None:
    """By fifty-one successes, since none are left."""
    budget = RetryBudget()
    for _ in range(100):
        budget.failed()
    for _ in range(50):
        budget.succeeded()
    assert not budget.allows
    budget.succeeded()
    assert budget.allows
