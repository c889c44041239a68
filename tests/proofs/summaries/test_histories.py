"""Two of the histories that ``python -m tests.proofs.summaries`` makes: extracts, and a model's."""

from pathlib import Path

import pytest

from tests.proofs.summaries.histories import run, summarising


@pytest.mark.parametrize("seed", [2, 3])
async def test_all_is_summarised_once_whenever_servers_are_killed(
    tmp_path: Path, seed: int
) -> None:
    """And nothing is left of what was erased."""
    async with summarising(tmp_path, seed % 2 == 1) as (server, endpoint):
        came = await run(server, endpoint, seed, by_model=seed % 2 == 1)
        assert came.wrong == []
        assert server.defects == []
