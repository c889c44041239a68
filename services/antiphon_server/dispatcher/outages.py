"""Trying on while something that is needed is away."""

from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from antiphon_server.runtime.concurrency.retry import RetryPolicy, retrying
from antiphon_server.runtime.concurrency.retry_policies import TURN
from antiphon_server.runtime.errors import DomainError, Reason

T = TypeVar("T")

AWAY = frozenset(
    {
        Reason.STORE_UNAVAILABLE,
        Reason.SERVICE_UNAVAILABLE,
        Reason.OVERLOADED,
        Reason.DEADLINE_EXCEEDED,
    }
)


async def patiently(
    call: Callable[[], Awaitable[T]],
    away: Collection[Reason] = AWAY,
    policy: RetryPolicy = TURN,
) -> T:
    """Call until it succeeds; what is away for longer has the last word.

    ``away`` is what nobody below waits for: nested, it would be waited for as often as it is
    tried.
    """
    return await retrying(call, policy, DomainError, lambda error: error.reason in away)
