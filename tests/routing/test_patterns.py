"""Patterns of texts: linear, bounded, and refused where they are none."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.routing.model import TEXT_BYTES
from antiphon_server.routing.patterns import LARGEST, Patterns
from antiphon_server.runtime.errors import DomainError


def patterns(*those: str) -> Patterns:
    return Patterns(those, [f"p[{it}]" for it in range(len(those))])


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "(?=a)", "a{1001}", "[z-a]", "a**"])
def test_what_is_no_pattern_is_refused_and_named(pattern: str) -> None:
    """With RE2's own reason."""
    with pytest.raises(DomainError) as caught:
        patterns("fine", pattern)
    (violation,) = caught.value.violations
    assert violation.field == "p[1]"
    assert violation.description.startswith("is no pattern of RE2: ")


def test_what_would_take_long_is_refused() -> None:
    """By its size alone, and together with others."""
    with pytest.raises(DomainError):
        patterns("(.{1,100}){1,9}z")
    with pytest.raises(DomainError) as caught:
        patterns(*(f"a.{{{it}}}b" for it in range(200, 300)))
    assert caught.value.violations[0].field.startswith("p[")


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(x+x+)+y", "(?i)(.*a){12}b"])
def test_what_makes_others_wait_for_hours_takes_a_moment(pattern: str) -> None:
    """Twice the text, twice the time; 64 KiB within the blink of an eye."""
    text = "a" * (TEXT_BYTES - 1) + "!"
    began = time.process_time()
    patterns(pattern).found(text)
    assert time.process_time() - began < 0.5


def test_the_worst_that_is_taken_has_a_bound() -> None:
    """Patterns that keep all their instructions busy, as large as may be, on 64 KiB."""
    worst = patterns(*(f"a.{{0,50}}b.{{0,50}}a{'b' * it}" for it in range(5)))
    began = time.process_time()
    worst.found("ab " * (TEXT_BYTES // 3))
    assert time.process_time() - began < 5


def test_the_first_64_kib_are_looked_at() -> None:
    """Of bytes; a character on the edge is left out, so that no other one is found there."""
    found = patterns("end$", "€", "�|\\x{20AC}$")
    assert found.found("x" * (TEXT_BYTES - 3) + "end") == {0}
    assert found.found("x" * (TEXT_BYTES - 2) + "end") == set()
    assert found.found("x" * (TEXT_BYTES - 2) + "€") == set()
    assert found.found("€" * TEXT_BYTES) == {1, 2}


@given(st.lists(st.text("abc. ", min_size=1, max_size=3), max_size=8), st.text("abc. \nä€"))
def test_all_at_once_are_found_as_each_would_be(words: list[str], text: str) -> None:
    """By their numbers."""
    found = patterns(*(word.replace(".", r"\.") for word in words)).found(text)
    assert found == {at for at, word in enumerate(words) if word in text}


def test_a_text_may_hold_what_no_utf_8_has() -> None:
    """Half a character from a client that cut it."""
    assert patterns("a").found("\ud800a") == {0}


def test_the_bound_leaves_room_for_words() -> None:
    """100 rules with a pattern of three words each."""
    assert LARGEST >= 5_000
    patterns(*(rf"(?i)\b(wordy{it}|rechnung{it}|factura{it})\b" for it in range(100)))
