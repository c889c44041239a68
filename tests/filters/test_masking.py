"""Masking of streams: at no split is anything shown that cutting the whole would not leave."""

import random
import re
from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon_server.filters.finding.cutting import cut
from antiphon_server.filters.finding.model import Bounded, Found
from antiphon_server.filters.finding.text import Text
from antiphon_server.filters.masking.masker import Masker
from tests.filters import corpus
from tests.filters.built_in import BOUNDED
from tests.filters.corpus import ATTACKS, HARMLESS, Sample

SHORT = [it for it in (*ATTACKS, *HARMLESS) if sum(map(len, it.parts)) < 400]
SHORTER = [it for it in SHORT if sum(map(len, it.parts)) < 40]
PIECES = (
    *("4111 1111", " ", "1111-1111", "4111", "1111", "DE89", " 3704 0044 0532 0130 00", "+49 30 "),
    *("12345678", "030 ", "(415) 555-2671", "john", "@", "example", ".com", ".", ",", "AKIA"),
    *("IOSFODNN7EXAMPLE", "ghp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17", "sk-", "ant-api03-"),
    *("Jx8kQ2vR7mT4wYb9NcD1eFgH5iLoP6sUuZaXj", "-----BEGIN ", "PRIVATE KEY-----", "\n"),
    *("-----END PRIVATE KEY-----", "password", ": ", "=", '"', "Hunter2go!", "secret_", "token"),
    *("://me:", "8.8.8.8", "2606:2800:", "220:1::1", "<", "script", ">", "svg ", "onload=", "java"),
    *("script:", "data:text/html", "\x1b", "[2J", "\x00", "\u202e", "\u200b", "\U000e0041", "Blue"),
    *("bird", "project ", "falcon", "verboten", "запрет", "ß", "é", "\u0301", "…", "好", "x", "7"),
    *("\U0001f3f4", "\U000e0067\U000e007f", "\ufe0f", "eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxIn0."),
)
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=14).map("".join)


def masked(deltas: Sequence[str], finders: Sequence[Bounded] = BOUNDED) -> str:
    masker = Masker(finders)
    return "".join([*(masker.feed(it) for it in deltas), masker.end()])


def whole(text: str, finders: Sequence[Bounded] = BOUNDED) -> str:
    found = [it for finder in finders for it in finder.find(Text(text))]
    return cut([text], found)[0]


@pytest.mark.parametrize("sample", SHORT, ids=lambda it: it.name)
def test_short_texts_at_every_split_into_two(sample: Sample) -> None:
    """And character by character."""
    text = "".join(sample.parts)
    expected = whole(text)
    for at in range(len(text) + 1):
        assert masked([text[:at], text[at:]]) == expected
    assert masked(list(text)) == expected


@pytest.mark.parametrize(
    "sample", [it for it in SHORT if len("".join(it.parts)) < 50][:40], ids=lambda it: it.name
)
def test_shorter_ones_at_every_split_into_three(sample: Sample) -> None:
    """As in two."""
    text = "".join(sample.parts)
    expected = whole(text)
    for first, second in combinations(range(len(text) + 1), 2):
        assert masked([text[:first], text[first:second], text[second:]]) == expected


@settings(max_examples=300)
@given(texts, st.randoms(use_true_random=False))
def test_whatever_is_said_however_it_is_split(text: str, chance: random.Random) -> None:
    """What is shown is what cutting the whole leaves, by all finders together and by each."""
    deltas = pieces(text, chance, 9)
    assert masked(deltas) == whole(text)
    for finder in BOUNDED:
        assert masked(deltas, [finder]) == whole(text, [finder])


@pytest.mark.parametrize("seed", range(6))
def test_long_texts_at_random_splits(seed: int) -> None:
    """Of 30 KB, with something in every line."""
    chance = random.Random(seed)
    secrets = ["".join(it.parts) for it in SHORT]
    text = ""
    while len(text) < 30_000:
        text += corpus.LONG[: chance.randrange(300)] + chance.choice((*secrets, *PIECES))
    assert masked(pieces(text, chance, 40)) == whole(text)


def pieces(text: str, chance: random.Random, longest: int) -> list[str]:
    found, at = [], 0
    while at < len(text):
        size = chance.randint(1, longest)
        found.append(text[at : at + size])
        at += size
    return found


def test_prose_flows_on_but_for_its_last_word() -> None:
    """With all finders."""
    masker = Masker(BOUNDED)
    for word in corpus.PROSE.split(" "):
        assert masker.feed(f"{word} ").endswith(f"{word} ")


def test_prose_flows_on_behind_an_end() -> None:
    """However much is kept in mind of what was shown before."""
    masker = Masker(BOUNDED)
    before = corpus.PROSE * 40
    assert masker.feed(before) + masker.end() == before
    for word in corpus.PROSE.split(" "):
        assert masker.feed(f"{word} ").endswith(f"{word} ")


def test_a_number_that_grows_is_never_shown_in_part() -> None:
    """Nor is a number that was long enough: it may be another one."""
    masker = Masker(BOUNDED)
    shown = [masker.feed(it) for it in f"Pay {corpus.CARD}"]
    assert "".join(shown) == "Pay "
    assert masker.feed(" now") == "[card] "
    assert masker.end() == "now"


@pytest.mark.parametrize("finder", BOUNDED, ids=lambda it: type(it).__name__)
@given(text=texts)
def test_no_more_is_held_back_than_the_longest_match(finder: Bounded, text: str) -> None:
    """In visible characters."""
    it = Text(text)
    held = Text(text[finder.look(it)[1] :])
    assert len(held.folded.value) <= 3 * finder.longest
    if held.original.isascii():
        assert len(held.original) <= finder.longest


@settings(max_examples=300)
@given(texts, texts, st.randoms(use_true_random=False))
def test_what_began_before_an_end_shows_no_more_of_itself(
    first: str, second: str, chance: random.Random
) -> None:
    """The first part is shown as if it were all, and nothing of the second that belongs to it."""
    check_behind(first, second, pieces(second, chance, 9))


@pytest.mark.parametrize("sample", SHORT, ids=lambda it: it.name)
def test_short_texts_go_on_behind_an_end_anywhere(sample: Sample) -> None:
    """As any text."""
    text = "".join(sample.parts)
    for at in range(len(text) + 1):
        check_behind(text[:at], text[at:], list(text[at:]))


def check_behind(first: str, second: str, deltas: Sequence[str]) -> None:
    masker, end = Masker(BOUNDED), len(first)
    assert masker.feed(first) + masker.end() == whole(first)
    behind = "".join([*map(masker.feed, deltas), masker.end()])
    found = [it for finder in BOUNDED for it in finder.find(Text(first + second))]
    rest = [Found(max(it.start, end) - end, it.end - end, it.category) for it in found]
    assert unmarked(behind) == unmarked(cut([second], [it for it in rest if it.end > 0])[0])


@pytest.mark.parametrize("anew", [False, True], ids=["on", "anew"])
@pytest.mark.parametrize("at", range(1, len(corpus.CARD)))
def test_the_rest_of_what_was_shown_in_part_is_masked(at: int, anew: bool) -> None:
    """Also by a mask that begins behind what was shown."""
    masker = Masker(BOUNDED)
    shown = masker.feed(f"Pay {corpus.CARD[:at]}") + masker.end()
    assert shown == f"Pay {corpus.CARD[:at]}"
    masker = Masker(BOUNDED, shown) if anew else masker
    assert masker.feed(f"{corpus.CARD[at:]} now") + masker.end() == "[card] now"


def unmarked(text: str) -> str:
    """What is shown beside the marks: one stands for what touches another of its kind."""
    return re.sub(r"\[[a-z_]+\]", "", text)


def test_a_key_without_an_end_holds_no_more_than_its_bound() -> None:
    """Behind it what is said is shown again."""
    masker = Masker(BOUNDED)
    said = corpus.PEM[:60] + "A1b2" * 3000 + " and this is shown. " * 60
    shown = "".join(masker.feed(it) for it in pieces(said, random.Random(1), 30))
    assert shown.startswith("[private_key]")
    assert shown.endswith(" and this is shown. ")
