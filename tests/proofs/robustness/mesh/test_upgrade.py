"""Servers and edges become this version one after the other, under load."""

import asyncio
from pathlib import Path

import pytest

from tests.fakes.postgres import Postgres
from tests.proofs.robustness.mesh.deployment import deployment
from tests.proofs.robustness.mesh.earlier import LAST, earlier
from tests.proofs.robustness.mesh.rolling import roll
from tests.proofs.robustness.scenario import close


@pytest.mark.proof
@pytest.mark.timeout(300)
async def test_nobody_notices_an_upgrade(postgres: Postgres, tmp_path: Path) -> None:
    """Two servers of the last version on one Postgres become this one: no call fails, no event is
    lost, and while one is new and one is old they work on the same conversations.
    """
    before = await asyncio.to_thread(earlier, LAST, tmp_path / "earlier")
    async with deployment(tmp_path, "1", postgres, earlier=before) as made:
        outcome = await roll(made, "upgrade")
        await close(made.stage, outcome)
    print(outcome.line)
    assert outcome.wrong == []
    assert outcome.counts["turns acknowledged"]
