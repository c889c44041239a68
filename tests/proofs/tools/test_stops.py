"""Stops of turns with calls under way, in short; ``python -m tests.proofs.tools stops`` is long."""

from pathlib import Path

import pytest

from tests.proofs.tools.stops import WAYS, stops_of

pytestmark = pytest.mark.proof


BUSY_MS = 1_000.0
"""Beside other proofs; the long form, which has the machine for itself, wants 100."""


async def test_the_last_call_is_closed_soon_and_stored_as_it_stood(tmp_path: Path) -> None:
    """Over HTTP, and a program whose only calls these were, also one that hears nothing."""
    came = await stops_of(tmp_path, "1", count=11, most_ms=BUSY_MS)
    print(came.line)
    assert came.wrong == []
    assert {way: len(ms) for way, ms in came.closed_ms.items()} == dict.fromkeys(WAYS, 10)
