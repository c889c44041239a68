"""What is left to a turn, found out while it is assigned."""

import asyncio
from collections.abc import Awaitable, Sequence

from antiphon_server.dispatcher.handling import Turn
from antiphon_server.workers.ports import TurnBudgets

PATIENCE_S = 0.05
"""So long an assignment waits for it that is ready to be told."""


async def left_when(
    assigned: Awaitable[None], turn: Turn, budgets: TurnBudgets, patience_s: float = PATIENCE_S
) -> Sequence[bytes]:
    """What is left when ``assigned`` is done; nothing if that takes longer to find out.

    Raises what ``assigned`` does.
    """
    finding = asyncio.ensure_future(budgets.left(turn))
    try:
        await assigned
        done, _ = await asyncio.wait({finding}, timeout=patience_s)
        return finding.result() if done else ()
    finally:
        finding.cancel()
