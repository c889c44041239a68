"""When a delivery is tried again, and what becomes of its webhook."""

from collections.abc import Callable
from dataclasses import replace
from random import uniform

from antiphon_server.notifying.model import (
    Attempt,
    Claimed,
    DisabledReason,
    Outcome,
    State,
    Verdict,
    Webhook,
)
from antiphon_server.runtime.encoding.ids import new_id

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


def noted(hook: Webhook, attempt: Attempt, verdict: Verdict, now_us: int) -> Webhook:
    """What an attempt makes of its webhook as it is now; nothing, if none was made."""
    if attempt.outcome is Outcome.ACCESS_LOST:
        return hook
    failing_us = now_us if hook.failing_us is None else hook.failing_us
    after = replace(hook, failing_us=None if attempt.outcome is Outcome.TAKEN else failing_us)
    if not verdict.disable or hook.disabled:
        return after
    return replace(after, disabled=verdict.disable, etag=new_id("etag"))
