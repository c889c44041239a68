"""Excerpts show why a message was found, and highlights stand where its words are."""

import random

import pytest

from antiphon_server.memory.model import Excerpt
from antiphon_server.memory.search.excerpts import LONGEST, Excerpts


def cut(query: str, text: str) -> Excerpt:
    """The excerpt of one text."""
    (found,) = Excerpts().of(query, [text])
    return found


def marked(found: Excerpt) -> list[str]:
    """The highlighted words."""
    return [found.text[start:end] for start, end in found.highlights]


@pytest.mark.parametrize(
    ("query", "text", "words"),
    [
        ("rivers", "The river runs; all rivers run.", ["river", "rivers"]),
        ("Häuser am See", "Das Haus am kleinen See ist verkauft.", ["Haus", "See"]),
        ("verkaufte Häuser", "Die Häuser wurden gestern verkauft", ["Häuser", "verkauft"]),
        ("les maisons vendues", "La maison est vendue", ["maison", "vendue"]),
        ("¿dónde están las canciones?", "Me gusta la canción", ["canción"]),
        ("cafe", "le café ferme", ["café"]),
        ("café", "the cafe closes", ["cafe"]),
        ("Strasse", "die lange Straße hinauf", ["Straße"]),
        ("Anna's boat", "Anna\u2019s boat and Anna", ["Anna", "boat", "Anna"]),
        ("手机", "我的新手机很好", ["手机"]),
        ("新手机", "iPhone新手机很好", ["新手机"]),
        ("iphone", "我的iPhone手机", ["iPhone"]),
        ("กาแฟ", "ผมชอบกาแฟมาก", ["กาแฟ"]),
        ("שלום", "הוא אמר שלום לכולם", ["שלום"]),
        ("кошка", "Наша кошка спит", ["кошка"]),
        ("boat", "🚤🚤 boat 🇫🇷 boat 👩‍👩‍👧", ["boat", "boat"]),
        ("boat", "\U0001d518\U0001d52b boat", ["boat"]),
        ("istanbul", "İstanbul Istanbul", ["Istanbul"]),
        ("nothing", "of that kind here", []),
    ],
)
def test_words_are_highlighted_in_all_their_forms(query: str, text: str, words: list[str]) -> None:
    """In four languages, with and without accents, in scripts without spaces, beside emoji."""
    found = cut(query, text)
    assert marked(found) == words


def test_an_excerpt_is_one_line() -> None:
    """Breaks and runs of spaces are a space each; the text's places are those of the line."""
    found = cut("boat", "one\n\n two\tboat  \r\n three")
    assert found.text == "one two boat three"
    assert marked(found) == ["boat"]


def test_what_is_composed_otherwise_is_the_same_word() -> None:
    """An accent that is a character of its own counts as one with its letter."""
    found = cut("cafe\u0301", "le cafe\u0301 et le café")
    assert marked(found) == ["café", "café"]


def test_of_a_long_text_the_stretch_with_most_of_it_is_shown() -> None:
    """With some of what is before it, whole words at both ends, and an ellipsis where it is cut."""
    before, after = "before " * 300, "after " * 300
    found = cut("red boat harbour", f"boat {before}a red boat in the harbour {after}")
    assert marked(found) == ["red", "boat", "harbour"]
    assert len(found.text) <= LONGEST
    assert found.text.startswith("…before before ")
    assert found.text.endswith(" after…")
    assert found.text.index("red") > 30


def test_a_text_that_just_fits_is_whole() -> None:
    """Up to the bound nothing is cut; beyond it the last word is whole, and an ellipsis follows."""
    whole = "ab " * (LONGEST // 3 - 1) + "abc"
    assert cut("x", whole).text == whole
    longer = cut("x", whole + " ab ab").text
    assert len(longer) <= LONGEST
    assert longer.endswith(" ab…")


def test_a_text_without_spaces_is_cut_too() -> None:
    """Chinese of a thousand characters, one word of ten thousand."""
    found = cut("手机", "天" * 1000 + "手机" + "地" * 1000)
    assert marked(found) == ["手机"]
    assert len(found.text) <= LONGEST
    assert cut("x", "x" * 10_000).text == "x" * (LONGEST - 2) + "…"


def test_highlights_stand_in_order_within_whatever_is_said() -> None:
    """Of ten thousand characters of anything: no two overlap, none is empty, none is cut."""
    chance = random.Random(7)
    letters = "aé ßİıŁ手机新ก็าשלكé\u0301🚤👩\u200d👧\ufeff\u200f\n\x00ﬁ½Ⅻ\U0001d518"
    for _ in range(300):
        text = "".join(chance.choices(letters, k=chance.randint(0, 900)))
        query = "".join(chance.choices(letters, k=chance.randint(1, 12)))
        found = cut(query, text)
        ends = [place for pair in found.highlights for place in pair]
        assert ends == sorted(ends)
        assert all(start < end for start, end in found.highlights)
        assert not ends or ends[-1] <= len(found.text)
        assert len(found.text) <= LONGEST


def test_nothing_of_what_was_looked_at_stays() -> None:
    """A word of a text is not in the memory of who cut it, which may have to forget it."""
    excerpts = Excerpts()
    excerpts.of("boat", ["a canary4711 in a boat"])
    assert "canary4711" not in repr(vars(excerpts._analyzer))
