"""Markup and URLs that a browser would run."""

import re
from collections.abc import Iterator

import re2

from antiphon_server.filters.finding.model import Found
from antiphon_server.filters.finding.patterns import latin

LONGEST_TAG = 512
_TAG = re.compile(rb"<[A-Za-z/][^<>]{0,510}>?")
_OPEN_TAG = re.compile(rb"<(?:[A-Za-z/][^<>]{0,509})?\Z")
_ACTIVE = re.compile(
    rb"(?i)</?(?:script|iframe|frame|frameset|object|embed|applet|base)(?![A-Za-z0-9-])"
    rb"|<meta\s[^>]*http-equiv|[\s/\"']on[a-z]{3,20}\s*="
)
_GAP = b"[\t\n\r]{0,3}"
_RUN = [b"javascript:", b"vbscript:"]
_SHOWN = [b"data:text/html", b"data:image/svg+xml", b"data:application/xhtml+xml"]
_URL = re2.compile(
    b"|".join(
        [
            *(_GAP.join(re2.escape(it[at : at + 1]) for at in range(len(it))) for it in _RUN),
            *map(re2.escape, _SHOWN),
        ]
    ),
    latin(any_case=True),
)
_LONGEST_URL = 64
_BLANKS = b"\t\n\r"


def active_tags(coded: bytes) -> Iterator[Found | None]:
    """Tags that load or run something by their name or an attribute, in their first 512 bytes.

    None for each that doesn't.
    """
    for match in _TAG.finditer(coded):
        yield Found(*match.span(), "markup") if _ACTIVE.search(match[0]) else None


def active_urls(coded: bytes) -> Iterator[Found]:
    """Beginnings of URLs that are programs or pages, if something follows them."""
    for match in _URL.finditer(coded):
        start, end = match.span()
        if not coded[start - 1 : start].isalnum() and coded[end : end + 1].strip():
            yield Found(start, end, "active_url")


def markup_begins(coded: bytes) -> int:
    """Where a tag begins that isn't over, or such a URL; the end, if none does."""
    tag = coded.rfind(b"<", max(0, len(coded) - LONGEST_TAG))
    first = tag if tag >= 0 and _OPEN_TAG.match(coded, tag) else len(coded)
    for start in range(max(0, len(coded) - _LONGEST_URL), first):
        if coded[start] in b"jJvVdD":
            said = coded[start:].translate(None, _BLANKS).lower()
            if any(it.startswith(said) for it in (*_RUN, *_SHOWN)):
                return start
    return first
