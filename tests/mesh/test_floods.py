"""Floods against the edge, for a second each: Envoy lives, and a good client is served."""

from pathlib import Path

import pytest

from tests.proofs.wire.front import envoy
from tests.proofs.wire.siege import lay_siege


@pytest.mark.parametrize("attack", ["rapid_reset", "continuations"])
async def test_a_flood_at_the_edge(tmp_path: Path, attack: str) -> None:
    """Nobody is refused or held up, nothing is started again, memory is bounded."""
    siege = await lay_siege(tmp_path, attack, 1.0, envoy)
    print(siege.line)
    assert siege.harm == []
    assert siege.rounds > 0
    assert siege.served > 0
