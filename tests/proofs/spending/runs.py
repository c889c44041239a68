"""Seeded runs, one after the other, each on an empty database."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from antiphon_server.integration.budgets import pruning
from antiphon_server.integration.ledger import calls as late
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.runtime.concurrency.retry import RetryPolicy
from tests.fakes.databases import opened_sqlite
from tests.proofs.spending.rig import Rig
from tests.proofs.spending.server import Kinds

SOON = RetryPolicy(0.0, tries=3)


async def runs_of(
    count: int, seed: str, kinds: Kinds, first: int = 0
) -> AsyncIterator[tuple[str, list[str], Counter[str]]]:
    """Each run's own seed, what was wrong with it, and what was done and came of it."""
    with pytest.MonkeyPatch.context() as at_once:  # who tries again waits for nothing
        at_once.setattr(late, "LATE_S", 0.001)
        at_once.setattr(late, "TURN", SOON)
        at_once.setattr(pruning, "PAUSE_S", 0.0)
        # The ledger's clock is not the market's: what was given up may come back until the end.
        at_once.setattr(pruning, "LATE_US", 2**60)
        for number in range(first, first + count):
            own = f"{seed}/{number}"
            async with opened_sqlite(metadata) as database:
                rig = Rig(database, own, kinds)
                wrong = await rig.run()
            yield own, wrong, rig.counts + rig.judge.outcomes
