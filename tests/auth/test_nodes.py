"""Several servers on one store: an end on one is an end on all.

How soon, 100 times for each way that Redis may be, judges ``python -m tests.auth.revocations``.
"""

from pathlib import Path

import pytest

from tests.auth.revocations import WAYS, measured


@pytest.mark.parametrize("way", WAYS)
async def test_an_end_reaches_the_other_node(tmp_path: Path, way: str) -> None:
    """Whatever becomes of Redis, the token is refused there and the stream ended."""
    times = await measured(tmp_path, way, 4)
    assert len(times.refused) == len(times.ended) == 4
    print(times)
