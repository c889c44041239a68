"""Splits what was said into sentences. What is code, quoted or a link is none."""

import re
from collections.abc import Iterator

LONGEST = 240
"""Of a sentence, in characters; what is behind is cut off."""
LONGEST_TEXT = 20_000
_LEFT_OUT = re.compile(
    r"^(?:```|~~~)[^\n]*\n.*?(?:^(?:```|~~~)[^\n]*$|\Z)|^[ \t]*(?:>|\|| {4})[^\n]*$|https?://\S+",
    re.MULTILINE | re.DOTALL,
)
_END = re.compile(r"[.!?…]+[\"'”’»)]*(?=\s|$)|[。！？]+|\n+")  # noqa: RUF001
# A full stop that ends nothing: behind an ordinal of German ("am 1. Oktober"), or an abbreviation.
_GOES_ON = re.compile(
    r"(?:\b\d{1,2}|\b(?:Mrs?|Ms|Dr|St|Prof|Sra?|Mme|Hr|Fr|ca|bzw|z\.B|u\.a|e\.g|i\.e|No|Nr|etc|vs))$"
)
_MARK = re.compile(r"^(?:[-*+•]|#{1,6}|\d{1,3}[.)])\s+")


def sentences(text: str) -> Iterator[str]:
    """Each in one line, in order."""
    plain, at = _LEFT_OUT.sub(" ", text[:LONGEST_TEXT]), 0
    for end in _END.finditer(plain):
        before = plain[max(at, end.start() - 12) : end.start()]
        if end[0] == "." and _GOES_ON.search(before) and not plain.startswith("\n", end.end()):
            continue
        yield from _one(plain[at : end.end()])
        at = end.end()
    yield from _one(plain[at:])


def _one(text: str) -> Iterator[str]:
    said = _MARK.sub("", " ".join(text.split()))
    if any(it.isalnum() for it in said):
        yield said if len(said) <= LONGEST else f"{said[: LONGEST - 2].rsplit(' ', 1)[0]} …"
