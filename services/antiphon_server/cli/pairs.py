"""What programs say of messages and conversations, as options have it."""

import re
from collections.abc import Sequence
from typing import Annotated

import typer

from antiphon_server.cli.console import fail, in_a_line

MOST = 16
MOST_BYTES = 256
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[0-9A-Za-z]{1,8}){0,4}")
_WRONG_KEY = (
    "a key has small letters, digits, `_`, `.` and `-`, begins with a letter, and is 64 at most"
)

Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="KEY=VALUE",
        help="What a conversation is about, for routes and lists; repeatable.",
    ),
]
Language = Annotated[
    str,
    typer.Option(
        "--language", metavar="TAG", help="What a conversation's people speak: `de`, `pt-BR`."
    ),
]


def pairs_of(option: str, written: Sequence[str]) -> dict[str, str]:
    """The keys and values of an option that was given so often; ends the command if one is none."""
    found: dict[str, str] = {}
    for word in written:
        key, equals, value = word.partition("=")
        if not equals:
            fail(f"{option} {in_a_line(word)} has no value: write {option} KEY=VALUE", 2)
        if not _NAME.fullmatch(key):
            fail(f"{option} {in_a_line(word)}: {_WRONG_KEY}", 2)
        if key in found:
            fail(f"{option} gives {key} twice; leave one out", 2)
        if len(value.encode()) > MOST_BYTES:
            fail(f"{option} {key}: a value has at most {MOST_BYTES} bytes", 2)
        found[key] = value
    if len(found) > MOST:
        fail(f"{option} was given {len(found)} times; {MOST} is the most", 2)
    return found


def type_of(written: str) -> str:
    """A message's type; ends the command if it is none."""
    if written and not _NAME.fullmatch(written):
        fail(f"--type {in_a_line(written)} is no type: write one like form.submitted or command", 2)
    return written


def language_of(written: str) -> str:
    """A tag of a language; ends the command if it is none."""
    if written and not _LANGUAGE.fullmatch(written):
        fail(f"--language {in_a_line(written)} is no tag: write one like de, en or pt-BR", 2)
    return written
