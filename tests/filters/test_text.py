"""Texts as finders see them: what is alike is the same, and the way back is right."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.filters.finding.text import Text

# ruff: noqa: RUF001  # it is about characters that look like others


@pytest.mark.parametrize(
    ("said", "normal"),
    [
        ("plain, ASCII\n\t", "plain, ASCII\n\t"),
        ("Ｐａｓｓ　４１", "Pass 41"),
        ("раѕѕwоrd", "password"),
        ("e\u0301é", "ee"),
        ("x\u200b\u00ad\ufeff\u2060y\x00z", "xyz"),
        ("٤१①²", "4112"),
        ("\ufb01x…", "fix..."),
        ("a–b‑c−d", "a-b-c-d"),
        ("Ля 你好", "Ля 你好"),
        ("a\U000e0041\ufe0fb", "ab"),
        ("a\u2028b\u0085c", "a\nb\nc"),
    ],
)
def test_what_looks_alike_is_the_same(said: str, normal: str) -> None:
    """In ASCII, where it looks like that."""
    assert Text(said).normal.value == normal


def test_large_and_small_letters_are_the_same_also_where_they_look_like_others() -> None:
    """In scripts beside ours, too; blanks are all spaces."""
    assert Text("ЗАПРЕТ В\tМОСКВЕ").folded.value == Text("запрет в москве").folded.value
    assert Text("Straße").folded.value == "strasse"


@given(st.text(), st.data())
def test_each_stretch_comes_from_what_was_said_there(said: str, data: st.DataObject) -> None:
    """What it comes from has it, and nothing in it that is seen is left out."""
    normal = Text(said).normal
    start = data.draw(st.integers(0, len(normal.value)))
    end = data.draw(st.integers(start, len(normal.value)))
    first, last = normal.origin(start, end)
    assert 0 <= first <= last <= len(said)
    assert normal.value[start:end] in Text(said[first:last]).normal.value
    if normal.whole(start, end) and start < end:
        assert Text(said[first:last]).normal.value == normal.value[start:end]


@given(st.text(), st.text())
def test_a_text_that_goes_on_stays_what_it_was(said: str, more: str) -> None:
    """No character depends on those beside it."""
    assert Text(said + more).normal.value == Text(said).normal.value + Text(more).normal.value
    assert Text(said + more).folded.value == Text(said).folded.value + Text(more).folded.value


@pytest.mark.parametrize(
    "said",
    ["prose " * 17_000, "Привет, мир " * 9_000, "a\u0301\u0327" * 20_000, "\ufdfa" * 33_000],
    ids=["ASCII", "Cyrillic", "marks", "what becomes eighteen"],
)
def test_100_kb_take_a_moment(said: str) -> None:
    """Less than 50 ms of a processor, if that has nothing else to do; here ten times as long."""
    began = time.process_time()
    assert Text(said).normal.value
    assert Text(said).folded.value
    assert time.process_time() - began < 0.5
