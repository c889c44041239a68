"""When a delivery is tried again, and when its webhook is given up."""

from collections.abc import Callable
from random import uniform

from antiphon_server.notifying.model import (
    Attempt,
    Claimed,
    DisabledReason,
    Outcome,
    State,
    Verdict,
)

MINUTE_S, HOUR_S = 60, 3600
PAUSES_S = (
    5,
    5 * MINUTE_S,
    30 * MINUTE_S,
    2 * HOUR_S,
    5 * HOUR_S,
    10 * HOUR_S,
    14 * HOUR_S,
    20 * HOUR_S,
    24 * HOUR_S,
)
"""Behind each attempt: the schedule that the Standard Webhooks suggest, some three days in all."""
JITTER = (1.0, 1.2)
LONGEST_S = 24 * HOUR_S
PATIENCE_US = 72 * HOUR_S * 1_000_000
"""So long a webhook may take nothing."""
GONE = 410


def verdict(
    claimed: Claimed,
    attempt: Attempt,
    now_us: int,
    spread: Callable[[float, float], float] = uniform,
) -> Verdict:
    """What becomes of a delivery and of its webhook."""
    if attempt.outcome is Outcome.TAKEN:
        return Verdict(State.DELIVERED, None)
    if attempt.outcome is Outcome.ACCESS_LOST:
        return Verdict(State.FAILED, None)
    if attempt.status == GONE:
        return Verdict(State.FAILED, None, DisabledReason.GONE)
    failing_us = claimed.webhook.failing_us
    if failing_us is not None and now_us - failing_us >= PATIENCE_US:
        return Verdict(State.FAILED, None, DisabledReason.FAILING)
    made = claimed.delivery.attempts
    if made >= len(PAUSES_S):
        return Verdict(State.FAILED, None)
    pause_s = PAUSES_S[made] * spread(*JITTER)
    pause_s = min(max(pause_s, attempt.retry_after_s), LONGEST_S * JITTER[1])
    return Verdict(State.WAITING, now_us + int(pause_s * 1_000_000))
