"""Versions that are deployed one after another leave nothing behind."""

from pathlib import Path

from tests.e2e.server import ServerProcess
from tests.proofs.deploys.deploying import COMPARED, GONE_WITHIN_S, deploy


async def test_versions_that_are_over_are_gone(tmp_path: Path) -> None:
    """Within a minute, all but the newest; the last are registered as fast as the first."""
    async with ServerProcess(tmp_path) as server:
        found = await deploy(server, 3 * COMPARED)
    assert list(found.left) == [f"v{3 * COMPARED - 1}"]
    assert found.gone_after_s < GONE_WITHIN_S
    assert found.last_ms < 2 * found.first_ms + 5
