"""The expressions of a sentence: "what is 3 * (4 + 5)?" has one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from experts.calculator.tokens import Token, tokens

_DANGLING = {",", "+", "*", "/", "^", ")"}
"""What no expression begins with."""


@dataclass(frozen=True, slots=True)
class Expression:
    """Tokens that belong together, and the text that they stand in."""

    tokens: Sequence[Token]
    line: str

    @property
    def text(self) -> str:
        """As it is written."""
        first, last = self.tokens[0], self.tokens[-1]
        return self.line[first.column - 1 : last.column - 1 + last.written]


def expressions(line: str) -> list[Expression]:
    """The expressions between a line's words; lone numbers only where there is nothing else.

    A line that begins as an expression is one: what does not belong into it is a mistake to be
    shown, and no word to be passed over.
    """
    found = tokens(line)
    while found and found[-1].text in _ENDS:
        found.pop()
    if found and all(token.kind != "other" for token in found[:2]):
        return [Expression(found, line)] if _counts(found) else []
    runs = [run for run in (_trimmed(run) for run in _runs(found)) if _counts(run)]
    larger = [run for run in runs if len(run) > 1]
    return [Expression(run, line) for run in larger or runs]


_ENDS = {"?", "!", ".", ":", ";", "=", ","}


def _runs(found: Sequence[Token]) -> Iterator[list[Token]]:
    run: list[Token] = []
    for token, after in zip_longest(found, found[1:]):
        if token.kind == "other" and not _called(token, after):
            yield run
            run = []
        else:
            run.append(token)
    yield run


def _called(word: Token, after: Token | None) -> bool:
    """Whether it looks like a function, which then is an unknown one and no word of a sentence."""
    return bool(after and after.text == "(" and after.column == word.column + word.written)


def _trimmed(run: list[Token]) -> list[Token]:
    """Without what only the sentence around it has put there, such as the "of" before it."""
    start = 0
    while start < len(run) and run[start].text in _DANGLING:
        start += 1
    end = len(run)
    while end > start and run[end - 1].text == ",":
        end -= 1
    return run[start:end]


def _counts(run: Sequence[Token]) -> bool:
    return any(token.kind == "number" or token.text == "pi" for token in run) or (
        len(run) > 1 and any(token.kind in ("function", "constant") for token in run)
    )
