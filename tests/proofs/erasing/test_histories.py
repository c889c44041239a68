"""A few of the histories that ``python -m tests.proofs.erasing`` makes by the hundred."""

from pathlib import Path

from tests.e2e.server import ServerProcess
from tests.proofs.erasing.histories import RULES, run

SEEDS = (3, 5, 6, 14)
"""Killed before its answer and not asked again; not killed; killed behind it; with a title."""


async def test_nothing_is_left_of_what_was_erased(tmp_path: Path) -> None:
    """Whenever the server is killed, and asked again or not, all is there or nothing is."""
    async with ServerProcess(tmp_path, variables=RULES) as server:
        for seed in SEEDS:
            assert (await run(server, seed)).found == []
        assert server.defects == []
