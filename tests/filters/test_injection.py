"""The model that looks for prompt injection: what it finds of a labelled set, off the loop."""

import asyncio

import pytest

from antiphon_server.filters.finding.injection import NEWEST, Injection
from antiphon_server.filters.finding.text import Text
from antiphon_server.runtime.concurrency.bulkhead import Bounds, NoPlace
from tests.filters.corpus import LONG
from tests.filters.injections import ATTACKS, HARMLESS

ENGLISH = slice(0, 17)


@pytest.fixture(scope="module")
def injection() -> Injection:
    return Injection()


def test_in_english_it_finds_most_and_takes_little_else_for_one(injection: Injection) -> None:
    """In German and Spanish it finds few: as the dependencies' document says."""
    attacks = [bool(injection.find(Text(it))) for it in ATTACKS]
    harmless = [bool(injection.find(Text(it))) for it in HARMLESS]
    print(f"attacks {sum(attacks[ENGLISH])} of 17 in English, {sum(attacks)} of {len(attacks)}")
    print(f"harmless {sum(harmless[ENGLISH])} of 17, {sum(harmless)} of {len(harmless)}")
    assert sum(attacks[ENGLISH]) >= 9
    assert sum(harmless) <= 3


async def test_the_newest_part_of_a_long_text_is_looked_at(injection: Injection) -> None:
    """Where it is found is said; what is older than that isn't looked at."""
    attack = ATTACKS[0]
    (found,) = await injection.look([LONG[: 3 * NEWEST], attack])
    assert found.category == "injection"
    assert found.start > 2 * NEWEST
    assert found.end == 3 * NEWEST + len(attack)
    assert await injection.look([attack, LONG[: 2 * NEWEST]]) == []
    assert await injection.look([]) == []


async def test_so_many_wait_and_no_more() -> None:
    """The others are told at once."""
    injection = Injection(Bounds(calls=1, waiting=1, wait_s=60))
    looks = await asyncio.gather(
        *(injection.look(["Hi"]) for _ in range(4)), return_exceptions=True
    )
    assert [type(it) for it in looks] == [list, list, NoPlace, NoPlace]
    injection.close()
