"""E-mail addresses: from each `@`, what may stand before it and the domain behind."""

import re
from collections.abc import Iterator

from antiphon_server.filters.finding.looking import NOTHING, Look

_CATEGORY = "email"
_LOCAL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+%&.-"
_LABELS = _LOCAL[:62] + b".-"
_MOST_LOCAL, _MOST_DOMAIN = 64, 253
_DOMAIN = re.compile(rb"(?:[0-9A-Za-z-]{1,63}\.){1,8}[A-Za-z]{2,24}")


class Emails:
    """Looks for addresses with a domain of two labels or more, in ASCII when it is normal."""

    longest, before = _MOST_LOCAL + 1 + _MOST_DOMAIN, 0

    def looks(self, coded: bytes, at: int) -> Iterator[Look]:
        """Those that are one, and the last word, which may begin one."""
        middle = coded.find(b"@", at)
        while middle >= 0:
            start = _local(coded, middle)
            yield _address(coded, start, middle) if start < middle else NOTHING
            middle = coded.find(b"@", middle + 1)
        start = _local(coded, len(coded))
        if start < len(coded):
            yield Look(start, 0, True, _CATEGORY)


def _local(coded: bytes, end: int) -> int:
    """Where what may be a mailbox's name begins that ends there; there, if none does."""
    before = coded[max(0, end - _MOST_LOCAL) : end]
    return end - len(before[len(before.rstrip(_LOCAL)) :].lstrip(b".-"))


def _address(coded: bytes, start: int, middle: int) -> Look:
    behind = coded[middle + 1 : middle + 1 + _MOST_DOMAIN]
    domain = behind[: len(behind) - len(behind.lstrip(_LABELS))]
    match = _DOMAIN.match(domain)
    end = middle + 1 + match.end() if match else 0
    cut_short = middle + 1 + len(domain) == len(coded) and len(domain) < _MOST_DOMAIN
    return Look(start, end, cut_short, _CATEGORY)
