"""Trying on while something that is needed is away."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from antiphon_server.runtime.errors import DomainError, Reason

T = TypeVar("T")

RETRY_S = (0.1, 0.5, 1.0, 2.0, 5.0)
AWAY = frozenset(
    {
        Reason.STORE_UNAVAILABLE,
        Reason.SERVICE_UNAVAILABLE,
        Reason.OVERLOADED,
        Reason.DEADLINE_EXCEEDED,
    }
)


async def patiently(call: Callable[[], Awaitable[T]], away: Collection[Reason] = AWAY) -> T:
    """Call until it succeeds; what is away longer than 9 s has the last word.

    ``away`` is what nobody below waits for: nested, that would be 9 s as often as it is tried.
    """
    for delay in RETRY_S:
        try:
            return await call()
        except DomainError as error:
            if error.reason not in away:
                raise
            await asyncio.sleep(delay)
    return await call()
