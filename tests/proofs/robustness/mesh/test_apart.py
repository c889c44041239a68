"""Services apart, one process of which is restarted, in the short form of ``rolling --apart``."""

from pathlib import Path

import pytest

from tests.fakes.postgres import Postgres
from tests.proofs.robustness.mesh.deployment import deployment
from tests.proofs.robustness.mesh.rolling import roll
from tests.proofs.robustness.scenario import close

WORK = ("serve", "events", "integration", "dispatcher")
SPLIT = {"auth": ("serve", "auth", "context"), "one": WORK, "other": WORK}


@pytest.mark.proof
async def test_nobody_notices_a_restart(postgres: Postgres, tmp_path: Path) -> None:
    """Of one of two processes that have the log, models and turns: no call fails, no event is lost.

    Clients and services find each other by Envoy alone.
    """
    async with deployment(tmp_path, "1", postgres, SPLIT, copies=1, edges_count=1) as made:
        outcome = await roll(made, "services apart", "one-1")
        await close(made.stage, outcome)
    print(outcome.line)
    assert outcome.wrong == []
    assert outcome.counts["turns acknowledged"]
