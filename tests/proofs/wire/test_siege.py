"""Attacks that go on, for a second each: the server lives, and a good client is served."""

from pathlib import Path

import pytest

from tests.proofs.wire.floods import ATTACKS
from tests.proofs.wire.siege import MOST_GROWTH, Siege, lay_siege

SHORT = ("rapid_reset", "continuations", "settings", "too_many_streams", "oversize", "bombs")


@pytest.mark.proof
@pytest.mark.parametrize("attack", SHORT)
async def test_a_flood(tmp_path: Path, attack: str) -> None:
    """Nobody is refused or held up, nothing is logged, memory is bounded.

    How much slower it is for the good client is for the long form.
    """
    siege = await lay_siege(tmp_path, attack, 1.0)
    print(siege.line)
    assert siege.harm == []
    assert siege.without_ms > 0
    assert siege.with_ms > 0
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
    held_up = Siege("x", without_ms=1000, with_ms=1600)
    assert held_up.factor < 2
    assert held_up.harm == ["x: p99 1600 ms"]


def test_every_attack_says_what_it_is() -> None:
    """For the list of the long form."""
    assert all(attack.__doc__ for attack in ATTACKS.values())
