"""Finding is the same however a thing is split and hidden; cutting leaves the rest as it was."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.filters.finding.builtin import personal_data
from antiphon_server.filters.finding.cutting import cut, merged
from antiphon_server.filters.finding.model import Found
from antiphon_server.filters.finding.searching import found_in
from antiphon_server.filters.finding.text import Text
from tests.filters import corpus
from tests.filters.built_in import ALL, BOUNDED

SECRETS = (corpus.CARD, corpus.GITHUB, corpus.AWS, corpus.IBAN, corpus.EMAIL, corpus.PHONE)
WORDS = (
    "pay",
    "to",
    "the",
    "Zürich",
    "мир",
    "你好",
    "2025",
    "a.b",
    "(x)",
    "\u2013",
    "bluebird",
    "key=",
)
UNSEEN = "\u200b\u200d\u2060\ufeff\u00ad"

texts = st.lists(st.sampled_from(SECRETS + WORDS), max_size=6).map(" ".join)


def split(text: str, places: list[int]) -> list[str]:
    """In as many parts as there are places, and one."""
    ends = sorted(place % (len(text) + 1) for place in places)
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


@given(texts, st.lists(st.integers(0, 999), max_size=4))
def test_a_split_hides_nothing(text: str, places: list[int]) -> None:
    """What is found in the whole is found in its parts; cut, it is gone from all of them."""
    parts = split(text, places)
    found = found_in(parts, ALL)
    assert set(found) >= set(found_in([text], ALL))
    left = "".join(cut(parts, found))
    assert not any(secret in left for secret in SECRETS)


@given(texts, st.lists(st.tuples(st.integers(0, 999), st.sampled_from(UNSEEN)), max_size=9))
def test_what_is_not_seen_hides_nothing(text: str, unseen: list[tuple[int, str]]) -> None:
    """Cut out with what hid it: what else was said is the same."""
    hidden = text
    for place, character in unseen:
        at = place % (len(hidden) + 1)
        hidden = hidden[:at] + character + hidden[at:]
    (left,) = cut([hidden], found_in([hidden], ALL))
    assert "".join(it for it in left if it not in UNSEEN) == cut([text], found_in([text], ALL))[0]


@given(texts, st.lists(st.integers(0, 999), max_size=3))
def test_what_was_cut_is_found_no_more(text: str, places: list[int]) -> None:
    """By none of the finders."""
    left = cut(split(text, places), found_in(split(text, places), ALL))
    assert found_in(left, ALL) == []


def test_what_overlaps_is_cut_as_one_and_named_as_the_first() -> None:
    """What only touches is named twice, unless it is of one kind."""
    found = [
        Found(2, 5, "b"),
        Found(0, 3, "a"),
        Found(7, 8, "c"),
        Found(8, 9, "c"),
        Found(9, 9, "d"),
    ]
    assert [(it.start, it.end, it.category) for it in merged(found)][:2] == [
        (0, 5, "a"),
        (7, 9, "c"),
    ]
    assert cut(["012", "3456", "789"], found[:4]) == ["[a]", "[a]56", "[c]9"]


def test_a_part_without_anything_stays_a_part() -> None:
    """Also in the midst of what is cut."""
    assert cut(["a1", "", "1b"], [Found(1, 3, "x")]) == ["a[x]", "", "[x]b"]


@pytest.mark.parametrize("finder", ALL, ids=lambda it: type(it).__name__)
@pytest.mark.parametrize(
    "said",
    [
        *("sk-ant-", "4 ", "4111 ", "eyJhbGciOiJ.", "a@a.", "DE89 ", "1.1.", "a:b:", "<a ", "+49 "),
        *(
            "-----BEGIN PRIVATE KEY-----",
            "secret=",
            "://a:b@",
            "\x1b[",
            "java\n",
            "bluebir",
            "<" * 9,
        ),
        *("\U000e0041", "password: x1Y", "030 1", "AKIA", "key-----END "),
    ],
    ids=repr,
)
def test_100_kb_of_what_is_nearly_something_take_a_moment(finder: object, said: str) -> None:
    """In time that grows with the text, most in a tenth of that."""
    text = Text((said * (100_000 // len(said) + 1))[:100_000])
    began = time.process_time()
    finder.find(text)  # type: ignore[attr-defined]
    if finder in BOUNDED:
        finder.look(text)  # type: ignore[attr-defined]
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["john@example.com", "anna@example.com"], ["[email]", "[email]"]),
        (["the card 4111 1111", " 1111 1111 it is"], ["the card [card]", "[card] it is"]),
        (["4111 1111", "", " 1111 1111"], ["[card]", "", "[card]"]),
        (["word", "4111 1111 ", "1111 1111", "word"], ["word", "[card]", "[card]", "word"]),
        (["it", "is", "4111 1111 ", "1111 1111", "it"], ["it", "is", "[card]", "[card]", "it"]),
        (["4111 1111 1111 1111", "8.8.8.8"], ["[card]", "[ip]"]),
        (["8.8.8", ".8"], ["[ip]", "[ip]"]),
        (["4111 1111 ", "", "1111 1111", "word"], ["[card]", "", "[card]", "word"]),
    ],
    ids=str,
)
def test_what_touches_from_one_part_to_the_next(parts: list[str], expected: list[str]) -> None:
    """Each part says that something is cut out of it; between words one is found in two parts."""
    assert cut(parts, found_in(parts, personal_data())) == expected
