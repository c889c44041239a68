"""Titles that are made of what is said first: its beginning, perhaps cut off.

Programs make them, in the name of who says it. Whoever else gives a conversation a title that a
message begins with has said the same, and has not had it from there.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

MOST = 256
"""Characters of a title, at most."""
_CUT = " \t….,;:"
_PERSON = "users/"


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a message of ``author``'s begins with: at most ``MOST`` characters, as one line."""

    author: str
    text: str


def beginnings(author: str, texts: Iterable[str]) -> list[Beginning]:
    """What a message with these texts begins with; of any one a title may have been made."""
    return [Beginning(author, it) for text in texts if (it := _in_one_line(text)[:MOST])]


def made_of(title: str, title_author: str, those: Collection[Beginning]) -> bool:
    """Whether a title was made of one of these.

    That is what it begins with, and it was given by the message's author, by a program, or by
    somebody who is not known: servers before this one have not noted who.
    """
    cut = _in_one_line(title).rstrip(_CUT)
    others = title_author.startswith(_PERSON)
    return bool(cut) and any(
        it.text.startswith(cut) for it in those if not others or it.author == title_author
    )


def _in_one_line(text: str) -> str:
    return " ".join(text.split())
