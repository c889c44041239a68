"""Page sizes and page tokens (AIP-158)."""

import base64

from antiphon_server.runtime.errors import DomainError, Reason

DEFAULT_PAGE = 50
MAX_PAGE = 200


def page_limit(page_size: int, default: int = DEFAULT_PAGE, most: int = MAX_PAGE) -> int:
    """How many rows a page has: the default for 0, coerced down to ``most``."""
    return min(page_size or default, most)


def encode_page_token(*position: str) -> str:
    """A token that says where the next page begins. It carries no rights."""
    return base64.urlsafe_b64encode("\0".join(position).encode()).decode().rstrip("=")


def decode_page_token(token: str, fields: int) -> tuple[str, ...] | None:
    """The position in ``token``, None for the first page.

    Raises DomainError PAGE_TOKEN_INVALID if it has not ``fields`` fields.
    """
    if not token:
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        position = tuple(raw.decode().split("\0"))
    except ValueError:  # not base64, not ASCII or not UTF-8
        position = ()
    if len(position) != fields:
        raise DomainError(Reason.PAGE_TOKEN_INVALID)
    return position


def number(field: str) -> int:
    """A field of a page position as a number that a store can hold.

    Raises DomainError PAGE_TOKEN_INVALID.
    """
    if not (field.isascii() and field.isdigit() and len(field) < 19):
        raise DomainError(Reason.PAGE_TOKEN_INVALID)
    return int(field)
