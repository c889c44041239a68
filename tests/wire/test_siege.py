"""Attacks that go on, for a second each: the server lives, and a good client is served."""

from pathlib import Path

import pytest

from tests.wire.floods import ATTACKS
from tests.wire.siege import MOST_GROWTH, Siege, lay_siege

SHORT = ("rapid_reset", "continuations", "settings", "too_many_streams", "oversize", "bombs")


@pytest.mark.parametrize("attack", SHORT)
async def test_a_flood(tmp_path: Path, attack: str) -> None:
    """Nobody is refused, nothing is logged, memory is bounded. Times are for the long form."""
    siege = await lay_siege(tmp_path, attack, 1.0)
    print(siege.line)
    siege.with_ms = 0.0
    assert siege.wrong == []
    assert siege.rounds > 0
    assert siege.served > 0


def test_harm_is_seen() -> None:
    """Memory, time, an end, a refusal and a log line are each found."""
    harmless = Siege("x", without_ms=20, with_ms=30, served=10, grown_bytes=MOST_GROWTH)
    assert harmless.wrong == []
    harmful = [
        Siege("x", grown_bytes=MOST_GROWTH + 1),
        Siege("x", without_ms=20, with_ms=41),
        Siege("x", restarts=1),
        Siege("x", failures=["UNAVAILABLE: gone"]),
        Siege("x", defects=["Traceback"]),
    ]
    assert all(len(siege.wrong) == 1 for siege in harmful)


def test_every_attack_says_what_it_is() -> None:
    """For the list of the long form."""
    assert all(attack.__doc__ for attack in ATTACKS.values())
