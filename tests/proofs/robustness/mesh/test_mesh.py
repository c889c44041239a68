"""The promises on several servers, in short; ``… robustness mesh`` and ``rolling`` are long."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes.postgres import Postgres
from tests.proofs.robustness.mesh.deployment import Deployment, deployment
from tests.proofs.robustness.mesh.promises import play_in, scenario_of
from tests.proofs.robustness.mesh.rolling import roll
from tests.proofs.robustness.scenario import Outcome, close

SHORT_S = 4.0
WORK = ("serve", "events", "integration", "dispatcher")
SPLIT = {"auth": ("serve", "auth", "context"), "one": WORK, "other": WORK}
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proof]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Deployment]:
    """Two servers, Redis, Envoy, for all tests of this file; in the end all of it ends well."""
    async with deployment(tmp_path_factory.mktemp("mesh"), "1", postgres) as it:
        yield it
        outcome = Outcome("the end", "1")
        await close(it.stage, outcome)
    assert outcome.wrong == []


@pytest.mark.parametrize("way", ["direct", "web"])
async def test_a_killed_replica_breaks_no_promise(made: Deployment, way: str) -> None:
    """Whether people call the servers themselves, or by grpc-web through Envoy."""
    outcome = await play_in(made.enter(way), scenario_of(way, "kill"), SHORT_S)
    print(outcome.line)
    assert outcome.wrong == []
    assert outcome.inflicted["kill"] == 1
    assert outcome.counts["posts acknowledged"]
    assert outcome.counts["turns acknowledged"]
    assert outcome.counts["seen"] > outcome.counts["events"]


async def test_nobody_notices_a_rolling_restart(made: Deployment) -> None:
    """Each server, and the edge that all use: no call fails, no event is lost, no turn fails."""
    outcome = await roll(made, "servers", "server-1", "server-2", "edge-1")
    print(outcome.line)
    assert outcome.wrong == []
    assert outcome.inflicted.total() == 3
    assert outcome.counts["turns acknowledged"]


async def test_nobody_notices_a_restart_of_services_apart(
    postgres: Postgres, tmp_path: Path
) -> None:
    """Of one of two processes that have the log, models and turns: no call fails, no event is lost.

    Clients and services find each other by Envoy alone.
    """
    async with deployment(tmp_path, "1", postgres, SPLIT, copies=1, edges_count=1) as made:
        outcome = await roll(made, "services apart", "one-1")
        await close(made.stage, outcome)
    print(outcome.line)
    assert outcome.wrong == []
    assert outcome.counts["turns acknowledged"]
