"""Splits text into words, in any script."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

_WORD = re.compile(r"[^\W_]+")
# Scripts written without spaces between words: Chinese, Japanese, Thai, Lao, Burmese, Khmer.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)
_DOTLESS = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe"})


def words(text: str) -> list[str]:
    """The words of the text in lower case, in order.

    An apostrophe parts words ("Mara's" is two). What is written without spaces comes as pairs of
    characters that follow each other, so that words of it match wherever they begin.
    """
    found = _WORD.findall(unicodedata.normalize("NFC", text).lower())
    if text.isascii() or _UNSPACED.search(text) is None:
        return found
    return [piece for word in found for piece in _pieces(word)]


def fold(word: str) -> str:
    """The word without accents: what is typed without them shall match what is written with."""
    if word.isascii():
        return word
    decomposed = unicodedata.normalize("NFD", word.translate(_DOTLESS))
    if not _latin(decomposed[:1]):
        return word  # a mark of another script is a vowel or a tone, not an accent
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark))


@lru_cache(maxsize=1024)
def _latin(character: str) -> bool:
    return "LATIN" in unicodedata.name(character, "")


def _pieces(word: str) -> Iterator[str]:
    """The spaced parts of what a pattern took for one word, and the pairs of the unspaced ones."""
    at = 0
    for run in _UNSPACED.finditer(word):
        if run.start() > at:
            yield word[at : run.start()]
        yield from _pairs(run.group())
        at = run.end()
    if at < len(word):
        yield word[at:]


def _pairs(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    for first, second in pairwise(run):
        yield first + second
