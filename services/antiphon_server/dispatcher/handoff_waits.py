"""What calls about hand-offs wait for, and how long."""

import asyncio
from collections.abc import Awaitable

from antiphon_server.dispatcher.lane import ActiveTurn
from antiphon_server.runtime.concurrency.tasks import first_of
from antiphon_server.runtime.errors import DomainError, Reason

WAIT_S = 30.0


def impossible(turn_id: str, why: str) -> DomainError:
    """What is told of a turn that can't be handed off."""
    return DomainError(Reason.HANDOFF_IMPOSSIBLE, turn_id=turn_id, why=why)


async def until_handed_off(active: ActiveTurn) -> None:
    """Wait for it. Raises DomainError HANDOFF_IMPOSSIBLE if it ends, DRAINING if it is let go."""

    async def handed_off() -> None:
        while active.handoffs.open is None and not active.done.is_set():
            await first_of([active.handoffs.changed(), active.done.wait()])

    await within(handed_off())
    if active.handoffs.open is None:
        if active.turn.state.ended:
            raise impossible(active.turn.turn_id, "ENDED")
        raise DomainError(Reason.DRAINING, retry_after=0.25)


async def within(done: Awaitable[object]) -> None:
    """Wait for it. Raises DomainError DEADLINE_EXCEEDED if that takes too long."""
    try:
        async with asyncio.timeout(WAIT_S):
            await done
    except TimeoutError:
        raise DomainError(Reason.DEADLINE_EXCEEDED) from None
