"""Searches go on a little at a time, by turns, and no longer than somebody waits for them."""

import asyncio
from collections.abc import Iterator

import pytest

from antiphon_server.filters.chain import Chain
from antiphon_server.filters.eyes import Eyes
from antiphon_server.filters.finding.cards import Cards
from antiphon_server.filters.finding.looking import Looking
from antiphon_server.filters.finding.model import MOST_FOUND, Finder, Found, Stepping
from antiphon_server.filters.finding.repetition import Repetition
from antiphon_server.filters.finding.searching import Search, found_in
from antiphon_server.filters.finding.terms import Terms as Words
from antiphon_server.filters.finding.text import Text
from antiphon_server.filters.kinds import finders
from antiphon_server.filters.model import Action, Filter, Origin, Screened, Stage, Terms
from antiphon_server.filters.reading import LONG, Readers
from antiphon_server.filters.screening import look
from antiphon_server.runtime.concurrency.bulkhead import Bounds
from antiphon_server.runtime.errors import DomainError, Reason
from tests.filters.built_in import ALL
from tests.filters.corpus import ATTACKS, Sample
from tests.filters.test_chain import Others

ORIGIN = Origin("ws_00000001", "conv_00000001", Stage.MESSAGE, "users/user_00000ann")


class Endless(Stepping):
    """Never through."""

    def __init__(self) -> None:
        self.taken = 0

    def steps(self, text: Text) -> Iterator[Found | None]:
        """One after the other."""
        while True:
            self.taken += 1
            yield None


@pytest.mark.parametrize("sample", ATTACKS[::7], ids=lambda it: it.name)
def test_step_by_step_the_same_is_found(sample: Sample) -> None:
    """As at once."""
    search = Search(sample.parts, ALL)
    while not search.go_on(0):
        pass
    assert search.found() == found_in(sample.parts, ALL)


async def test_a_small_text_waits_for_no_large_one() -> None:
    """They take turns; what nobody waits for any more is not gone on with."""
    readers, endless = Readers(), Endless()
    large = asyncio.ensure_future(readers.read(Search(["x"], [endless]), LONG + 1))
    small = Search(["x" * LONG + " a"], finders(Terms(("a",))))
    assert len(await readers.read(small, LONG + 2)) == 1
    assert not large.done()
    large.cancel()
    await readers.read(Search(["x"], ALL), LONG + 1)
    taken = endless.taken
    await readers.read(Search(["x"], ALL), LONG + 1)
    assert endless.taken == taken


async def test_one_that_takes_long_is_gone_on_with_beside() -> None:
    """Whoever else is served is served meanwhile, however short the text is."""
    reading = asyncio.ensure_future(Readers().read(Search(["x"], [Endless()]), 1))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not reading.done()
    reading.cancel()


async def test_so_many_wait_and_no_more() -> None:
    """The next one is told so."""
    readers = Readers(Bounds(calls=1, waiting=0, wait_s=1.0))
    first = asyncio.ensure_future(readers.read(Search(["x"], [Endless()]), LONG + 1))
    await asyncio.sleep(0)
    with pytest.raises(DomainError) as refused:
        await readers.read(Search(["x"], ALL), LONG + 1)
    assert refused.value.reason is Reason.OVERLOADED
    first.cancel()


@pytest.mark.parametrize("action", [Action.SANITISE, Action.FLAG])
async def test_of_too_many_places_none_is_cut_out(action: Action) -> None:
    """Not all are known, so it is blocked where they were to be cut."""
    chain = Chain("global", 1, [Filter("a", action, Terms(("a",)))], Eyes(finders, Others()))
    found: Screened = await look([chain], ["a " * (MOST_FOUND + 9)], ORIGIN)
    assert found.verdicts[0].found == MOST_FOUND
    assert found.refused is (action is Action.SANITISE)


@pytest.mark.parametrize("said", ["4", "4111 1111 ", "4111 1111 1111 1111 ", "1.", "\u00bd "])
def test_stretches_of_digits_are_looked_at_a_little_at_a_time(said: str) -> None:
    """However long one is: between two steps there is a bounded part of it."""
    text = Text(said * (20_000 // len(said)))
    assert len(list(Looking(Cards()).steps(text))) >= len(text.normal.value) / 256 - 1


@pytest.mark.parametrize(
    "finder", [Looking(Cards()), Words(("a",)), Repetition()], ids=lambda it: type(it).__name__
)
def test_normal_forms_are_made_a_little_at_a_time(finder: Finder) -> None:
    """By the first finder that needs one; it is the same as made at once."""
    said = "\u00fc\ufb01\u200b" * 10_000
    text = Text(said)
    assert len(list(finder.steps(text))) >= len(said) / 1024
    for made, all_made in ((text.normal, Text(said).normal), (text.folded, Text(said).folded)):
        assert made.value == all_made.value
        assert made.origin(7, 20_000) == all_made.origin(7, 20_000)
