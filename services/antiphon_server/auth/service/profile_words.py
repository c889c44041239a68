"""What profiles may say: languages, time zones, lines."""

import asyncio
import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

from antiphon_server.auth.service.users import printable
from antiphon_server.runtime.errors import invalid

_LOCALE = re.compile(
    r"[a-z]{2,3}(-[a-z]{3}){0,3}(-[a-z]{4})?(-([a-z]{2}|[0-9]{3}))?"
    r"(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(-[0-9a-wyz](-[a-z0-9]{2,8})+)*(-x(-[a-z0-9]{1,8})+)?",
    re.ASCII,
)
"""RFC 5646, 2.1, of lower-case tags, without those that are grandfathered."""


def locale_of(said: str) -> str:
    """A tag of BCP 47 as it is written: pt-br is pt-BR, zh-hant-tw is zh-Hant-TW.

    Raises DomainError INVALID_ARGUMENT if it is none.
    """
    tag = said.strip().replace("_", "-").lower()
    if tag and not _LOCALE.fullmatch(tag):
        raise invalid("locale", "a language by BCP 47, such as de or pt-BR")
    return "-".join(_cased(tag.split("-")))


def _cased(parts: list[str]) -> Iterable[str]:
    """RFC 5646, 2.1.1: behind a single character nothing is anything but lower case."""
    inside = False
    for at, part in enumerate(parts):
        inside = inside or len(part) == 1
        if at and not inside and part.isalpha() and len(part) == 2:
            yield part.upper()
        elif at and not inside and part.isalpha() and len(part) == 4:
            yield part.title()
        else:
            yield part


async def time_zone_of(said: str) -> str:
    """A name of the IANA's database, in any case, as it is written there.

    Raises DomainError INVALID_ARGUMENT if there is none.
    """
    if not (name := said.strip()):
        return ""
    found = (await asyncio.to_thread(_zones)).get(name.lower())
    if found is None:
        raise invalid("time_zone", "a time zone, such as Europe/Berlin")
    return found


def line_of(said: str) -> str:
    """One line: whatever separates words is a space, and nothing controls a terminal."""
    return printable(" ".join(said.split()))


def lines_of(said: Iterable[str]) -> tuple[str, ...]:
    """Lines, each once, without those that say nothing."""
    return tuple(dict.fromkeys(filter(None, map(line_of, said))))


@cache
def _zones() -> dict[str, str]:
    names = (resources.files("tzdata") / "zones").read_text().split()
    return {name.lower(): name for name in names}
