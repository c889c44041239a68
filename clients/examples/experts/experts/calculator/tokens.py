"""A line of text as tokens, each with its column."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

FUNCTIONS = frozenset(
    {"abs", "ceil", "factorial", "floor", "gcd", "lcm", "max", "mean", "min", "mod"}
    | {"round", "sqrt", "sum"}
)
CONSTANTS = frozenset({"pi", "e"})
WORDS = {"plus": "+", "minus": "-", "times": "*", "x": "*", "of": "*", "percent": "%"}
SIGNS = {
    "\N{MULTIPLICATION SIGN}": "*",
    "\N{MIDDLE DOT}": "*",
    "\N{DIVISION SIGN}": "/",
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "**": "^",
}
MAX_DIGITS = 1_000

_PATTERN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>(?:\d[\d_]*(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,4}(?![\w.]))?)"
    r"|(?P<word>[^\W\d_]\w*)"
    rf"|(?P<sign>\*\*|[-+*/^%(),{''.join(SIGNS)}])"
    r"|(?P<other>.)"
)
# Commas between thousands: inside a function's brackets they part its arguments.
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])")


class Mistake(Exception):
    """What is wrong with an expression, and at which column, from 1."""

    def __init__(self, column: int, message: str) -> None:
        super().__init__(message)
        self.column, self.message = column, message


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a line: ``kind`` is "number", "sign", "function", "constant", "other" or "end"."""

    kind: str
    text: str
    column: int
    written: int
    """How many characters it takes in the line."""


def tokens(line: str) -> list[Token]:
    """The line's tokens without spaces. What is none of a calculator's is "other"."""
    return list(_tokens(line))


def _tokens(line: str) -> Iterator[Token]:
    calls: list[bool] = []  # of each bracket that is open, whether it is a function's
    at, before = 0, ""
    while at < len(line):
        found = (None if any(calls) else _THOUSANDS.match(line, at)) or _PATTERN.match(line, at)
        assert found is not None
        kind, text = found.lastgroup or "number", found.group()
        if kind != "space":
            token = _token(kind, text, at + 1, line[found.end() :].lstrip()[:1])
            if token.text == "(":
                calls.append(before == "function")
            elif token.text == ")" and calls:
                calls.pop()
            before = token.kind
            yield token
        at = found.end()


def _token(kind: str, text: str, column: int, after: str) -> Token:
    word = text.lower()
    if kind == "number":
        return Token(kind, re.sub("[,_]", "", text), column, len(text))
    if kind == "sign":
        return Token(kind, SIGNS.get(text, text), column, len(text))
    if word in FUNCTIONS and after == "(":
        return Token("function", word, column, len(text))
    if word in CONSTANTS:
        return Token("constant", word, column, len(text))
    if word in WORDS:
        return Token("sign", WORDS[word], column, len(text))
    return Token("other", text, column, len(text))
