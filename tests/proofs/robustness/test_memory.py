"""Memory that grows is found; memory that fills up and stays is right."""

from collections.abc import Callable

import pytest

from tests.proofs.robustness.memory import Memory, Sample, slopes

MIB = 1 << 20
Held = Callable[[float], float]


def samples(seconds: float, held: Held, every_s: float = 0.25) -> list[Sample]:
    """What was held by the time, in MB."""
    times = [at * every_s for at in range(int(seconds / every_s) + 1)]
    return [Sample(at, 1, int(held(at) * MIB)) for at in times]


def memory(loaded: Held, quiet: Held, seconds: float = 20.0) -> Memory:
    return Memory(samples(seconds, loaded), samples(3.0, quiet, 0.1), seconds)


def test_memory_that_fills_up_is_right() -> None:
    """It grows when people come, has peaks, and rests where it stays."""
    good = memory(lambda at: min(90 + 10 * at, 150) + 40 * (at == 5), lambda at: 140)
    assert good.wrong == []
    assert good.peak_bytes == 180 * MIB


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (memory(lambda at: 90, lambda at: 130 + at), "nothing happened"),
        (memory(lambda at: 90, lambda at: 225), "all was over"),
        (memory(lambda at: 257, lambda at: 130), "at most"),
        (memory(lambda at: 90 + at, lambda at: 130, 66), "more and more"),
        (memory(lambda at: 90, lambda at: 90, 0.0), ""),
    ],
    ids=["leaks", "does not give back", "holds too much", "grows", "right"],
)
def test_memory_that_is_not_bounded_is_found(bad: Memory, what: str) -> None:
    """1 MB a second, in the quiet or under load; too much in the end, or at any time."""
    assert [what in found for found in bad.wrong] == ([True] if what else [])


def test_memory_that_nobody_looked_at_is_found() -> None:
    """No samples, or hardly any, say nothing."""
    assert Memory([], [], 20.0).wrong
    assert Memory(samples(2.0, lambda at: 90), samples(3.0, lambda at: 90), 20.0).wrong
    assert Memory(samples(20.0, lambda at: 90), [], 20.0).wrong


def test_what_is_filled_once_is_no_growth() -> None:
    """A server's first turn loads what talks to models, 20 MB, however late it comes."""
    [slope] = slopes(samples(66, lambda at: 150 + 20 * (at > 40)))
    assert slope < 0.1 * MIB
    [slope] = slopes(samples(180, lambda at: 150 + 20 * (at // 20)))
    assert slope > 0.5 * MIB


def test_each_life_is_judged_by_itself() -> None:
    """A process that begins anew holds less; what it fills up then is no growth of the other."""
    first = samples(66, lambda at: 150)
    second = [Sample(66 + it.at, 2, it.held) for it in samples(30, lambda at: 90 + 2 * at)]
    assert slopes([*first, *second]) == [0.0]
