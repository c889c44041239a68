"""Titles that programs make of what is said first: its beginning, perhaps cut off."""

from collections.abc import Iterable

_CUT = " \t….,;:"


def taken_from(title: str, texts: Iterable[str]) -> bool:
    """Whether one of the texts begins as the title does; blanks and line ends are the same."""
    beginning = _blanks_as_one(title).rstrip(_CUT)
    return bool(beginning) and any(_blanks_as_one(it).startswith(beginning) for it in texts)


def _blanks_as_one(text: str) -> str:
    return " ".join(text.split())
