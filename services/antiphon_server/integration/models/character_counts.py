"""What is counted in a text to estimate its tokens: its letters, scripts and words.

A tokenizer has long tokens for what is frequent in what it was made of. So how many tokens a text
has depends on its script, and in Latin script on its language, which its letters tell: Polish has
more of k, w and z than English.
"""

import re
from collections import Counter

_SPACES, _NEWLINES, _DIGITS = b" \t", b"\n\r\v\f", b"0123456789"
_LETTERS = b"abcdefghijklmnopqrstuvwxyz"
_SCRIPTS = (
    ("symbols_of_two", 0xC0, 0xC3),
    ("latin", 0xC3, 0xCA),
    ("marks", 0xCA, 0xCE),
    ("greek", 0xCE, 0xD0),
    ("cyrillic", 0xD0, 0xD4),
    ("armenian", 0xD4, 0xD6),
    ("hebrew", 0xD6, 0xD8),
    ("arabic", 0xD8, 0xE0),
    ("indic", 0xE0, 0xE1),
    ("others_of_three", 0xE1, 0xE2),
    ("symbols_of_three", 0xE2, 0xE3),
    ("kana", 0xE3, 0xE4),
    ("han", 0xE4, 0xEA),
    ("hangul", 0xEA, 0xEE),
    ("wide", 0xEE, 0xF0),
    ("emoji", 0xF0, 0x100),
)
"""Characters beyond ASCII by the first byte of their UTF-8, from one up to another."""
_PAIRS: tuple[tuple[str, tuple[bytes, ...]], ...] = (
    ("devanagari", (b"\xe0\xa4", b"\xe0\xa5")),
    ("thai", (b"\xe0\xb8", b"\xe0\xb9")),
    ("vietnamese", (b"\xe1\xba", b"\xe1\xbb")),
    ("ukrainian", (b"\xd1\x96", b"\xd1\x97", b"\xd1\x94")),
    ("persian", (b"\xdb\x8c", b"\xda\xa9", b"\xda\xaf", b"\xd9\xbe")),
    ("traditional", tuple(it.encode() for it in "這個們來時會為國學對說過還後點開關經無與請資檔")),
    ("english", tuple(b" %b " % word for word in b"the to of and is in a for you this".split())),
    ("indents", (b"  ",)),
)
"""What tells languages of one script apart, and code from prose; counted besides."""
_LONG_RUN = re.compile(rb"[A-Za-z0-9+/=_-]{24,}")
"""Keys, hashes and addresses: hardly any of it is a word."""

_SINGLE = ("spaces", "newlines", "digits", "capitals", "punctuation")
_CLASSES = (
    *_SINGLE,
    *(name for name, _, _ in _SCRIPTS),
    *(chr(letter) for letter in _LETTERS),
)
_CONTINUED = len(_CLASSES)
NAMES = (*_CLASSES, *(name for name, _ in _PAIRS), "words", "long_runs")
"""What each number of :func:`character_counts` is of."""


def _classes() -> list[int]:
    """The place of each byte's class in NAMES; one behind them all for what goes on a character."""
    names = ["punctuation"] * 0x80 + [""] * 0x80
    for name, members in (("spaces", _SPACES), ("newlines", _NEWLINES), ("digits", _DIGITS)):
        for member in members:
            names[member] = name
    for letter in _LETTERS:
        names[letter] = chr(letter)
        names[letter - 0x20] = "capitals"
    for name, first, end in _SCRIPTS:
        names[first:end] = [name] * (end - first)
    return [_CLASSES.index(name) if name else _CONTINUED for name in names]


_CLASS_OF = _classes()


def character_counts(text: str) -> list[int]:
    """How often each of :data:`NAMES` is in a text."""
    encoded = text.encode("utf-8", "replace")
    counts = [0] * (_CONTINUED + 1)
    for byte, count in Counter(encoded).items():
        counts[_CLASS_OF[byte]] += count
    counts.pop()
    ascii_alone = len(encoded) == len(text)
    for _, members in _PAIRS:
        possible = not ascii_alone or members[0].isascii()
        counts.append(sum(map(encoded.count, members)) if possible else 0)
    counts.append(len(text.split()))
    counts.append(sum(map(len, _LONG_RUN.findall(encoded))))
    return counts
