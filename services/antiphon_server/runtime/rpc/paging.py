"""Page sizes and page tokens (AIP-158)."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from antiphon_server.runtime.encoding import base64url
from antiphon_server.runtime.errors import DomainError, Reason

DEFAULT_PAGE = 50
MAX_PAGE = 200
MAX_PAGE_BYTES = 1 << 20


class Sized(Protocol):
    """A message."""

    def ByteSize(self) -> int:
        """Its bytes on the wire."""
        ...


class Named(Protocol):
    """What is listed by its name."""

    @property
    def name(self) -> str:
        """Its place in the list."""
        ...


M = TypeVar("M", bound=Sized)
N = TypeVar("N", bound=Named)


def page_limit(page_size: int, default: int = DEFAULT_PAGE, most: int = MAX_PAGE) -> int:
    """The number of rows of a page: the default for 0, and at most ``most``."""
    return min(page_size or default, most)


def page_of(rows: Iterable[M], limit: int) -> list[M]:
    """The first ``limit`` rows, or as many as a message has room for; one at least."""
    page = list[M]()
    left = MAX_PAGE_BYTES
    for row in rows:
        left -= row.ByteSize()
        if page and (left < 0 or len(page) == limit):
            break
        page.append(row)
    return page


def encode_page_token(listed: str, *position: str) -> str:
    """Return the token of the next page of ``listed``. It carries no rights.

    ``listed`` identifies the list: its kind, its owner and its filters.
    """
    raw = "\0".join((_mark(listed), *position)).encode()
    return base64url.encoded(raw)


def decode_page_token(token: str, listed: str, fields: int) -> tuple[str, ...] | None:
    """The position in ``token``; None for the first page.

    Raises DomainError PAGE_TOKEN_INVALID if the token belongs to another list than ``listed``, or
    does not have ``fields`` fields.
    """
    if not token:
        return None
    try:
        mark, *position = base64url.decoded(token).decode().split("\0")
    except ValueError:  # not base64, not ASCII or not UTF-8
        mark, position = "", []
    if mark != _mark(listed) or len(position) != fields:
        raise DomainError(Reason.PAGE_TOKEN_INVALID)
    return tuple(position)


def after_name(token: str, listed: str) -> str:
    """The name behind which a page of a list by names begins; "" for the first page.

    Raises DomainError PAGE_TOKEN_INVALID.
    """
    position = decode_page_token(token, listed, fields=1)
    return position[0] if position else ""


def page_by_name(
    rows: Iterable[N], encoded: Callable[[N], M], listed: str, after: str, page_size: int
) -> tuple[list[M], str]:
    """A page of those behind the name ``after``, and the token of the next one, "" for none.

    ``rows`` are all that is listed, by name.
    """
    left = [row for row in rows if row.name > after]
    page = page_of(map(encoded, left), page_limit(page_size))
    more = len(left) > len(page)
    return page, encode_page_token(listed, left[len(page) - 1].name) if more else ""


def _mark(listed: str) -> str:
    """Short, however long the list's name is."""
    return hashlib.blake2b(listed.encode(), digest_size=6).hexdigest()


def number(field: str, most: int = 10**18) -> int:
    """A field of a page position as a number that a store can hold, up to ``most``.

    Raises DomainError PAGE_TOKEN_INVALID.
    """
    if not (field.isascii() and field.isdigit() and len(field) < 19 and int(field) <= most):
        raise DomainError(Reason.PAGE_TOKEN_INVALID)
    return int(field)
