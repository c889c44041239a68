"""Addresses on the Internet, of version 4 and 6; those that mean nobody in particular are left."""

import ipaddress
import re
from collections.abc import Iterator

import re2

from antiphon_server.filters.finding.flanks import tail
from antiphon_server.filters.finding.looking import NOTHING, Look
from antiphon_server.filters.finding.patterns import latin

_CATEGORY = "ip"
_RUN = re2.compile(rb"[0-9]+(?:\.[0-9]+){3,}|[0-9A-Fa-f:.]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*", latin())
_DIGITS = b"0123456789abcdefABCDEF:."
_DECIMAL = b"0123456789."
_LONGEST = 45
_VERSION = re.compile(rb"(?i)(?:v|ver|version|release|build)[.:= ]{0,2}$")
_BEFORE = 12


class Addresses:
    """Looks for both kinds; with ``private`` also for those of one's own net and machine."""

    longest, before = _LONGEST + 2, _LONGEST + _BEFORE

    def __init__(self, private: bool = False) -> None:
        self._private = private

    def looks(self, coded: bytes, at: int) -> Iterator[Look]:
        """Those that stand alone and are no version, and a run of digits at the text's end."""
        for match in _RUN.finditer(coded, max(0, at - self.before)):
            start, end = match.start(), match.end()
            while coded[end - 1 : end] in (b".", b":") and coded[end - 2 : end] != b"::":
                end -= 1
            good = self._is_one(coded[start:end]) and _alone(coded, start, end)
            yield Look(start, end, len(coded) - end < 2, _CATEGORY) if good else NOTHING
        for digits in (_DIGITS, _DECIMAL):
            start = tail(coded, digits, _LONGEST + 2)
            if start < len(coded) and not coded[start - 1 : start].isalnum():
                yield Look(start, 0, True, _CATEGORY)

    def _is_one(self, said: bytes) -> bool:
        if len(said) > _LONGEST:
            return False
        try:
            address = ipaddress.ip_address(said.decode())
        except ValueError:
            return False
        return self._private or address.is_global


def _alone(coded: bytes, start: int, end: int) -> bool:
    """Neither in a word or path, nor said to be a version."""
    before, after = coded[max(0, start - _BEFORE) : start], coded[end : end + 2]
    if before[-1:].isalnum() or before[-1:] in (b"_", b"-", b".", b"\\"):
        return False
    if before[-1:] == b"/" and before[-2:-1] not in (b"/", b" ", b""):
        return False
    if after[:1].isalnum() or after[:1] == b"_" or (after[:1] == b"-" and after[1:].isalnum()):
        return False
    return not _VERSION.search(before)
