"""Page tokens of what is listed the latest first, and of what has a place in a log."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from antiphon_server.context.model.resources import Position
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.paging import decode_page_token, encode_page_token

T = TypeVar("T")
_MAX_DIGITS = 18  # fits 63 bits
MAX_PAGE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items and the token of the next page, empty on the last."""

    items: Sequence[T]
    next_token: str = ""


def page_of(
    listed: str,
    items: list[T],
    limit: int,
    place: Callable[[T], Position],
    size: Callable[[T], int] = lambda _: 0,
) -> Page[T]:
    """A page of ``limit`` of the items ``listed``, of which one more was asked for.

    It is shorter if their ``size`` in bytes comes to more than 1 MiB.
    """
    sums = itertools.accumulate(map(size, items[:limit]))
    kept = max(sum(total <= MAX_PAGE_BYTES for total in sums), 1)
    if kept >= len(items):
        return Page(items)
    return Page(items[:kept], token_after(listed, place(items[kept - 1])))


def token_after(listed: str, last: Position) -> str:
    """The token of the page of ``listed`` that begins behind that."""
    return encode_page_token(listed, str(last.time_us), last.item_id)


def position(token: str, listed: str) -> Position | None:
    """Where the page of ``listed`` begins. Raises DomainError PAGE_TOKEN_INVALID."""
    fields = decode_page_token(token, listed, 2)
    return Position(number(fields[0]), fields[1]) if fields else None


def number(text: str) -> int:
    """A decimal number from a page token. Raises DomainError PAGE_TOKEN_INVALID."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise DomainError(Reason.PAGE_TOKEN_INVALID)
    return int(text)
