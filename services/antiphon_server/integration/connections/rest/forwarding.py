"""Requests as people write them: where they lead, and what of their headers is told."""

import re
from collections.abc import Iterable, Mapping
from typing import Protocol
from urllib.parse import unquote

from antiphon_server.integration.connections.rest.ways import leads_away
from antiphon_server.runtime.errors import invalid

MOST_HEADERS, MOST_VALUE = 64, 4096
_OF_THE_WAY = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade"}
    | {"keep-alive", "expect", "proxy-authorization", "proxy-connection", "authorization"}
    | {"cookie", "accept-encoding"}
)
_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")


class Wanted(Protocol):
    """What a person has written."""

    @property
    def path(self) -> str:
        """Below the connection's own address, with its query."""
        ...

    @property
    def headers(self) -> Iterable[tuple[str, str]]:
        """By name."""
        ...


def place(base_url: str, wanted: Wanted) -> tuple[str, Mapping[str, str]]:
    """Where it leads, and with which headers.

    Raises DomainError INVALID_ARGUMENT for a path that leads out of the address.
    """
    path = wanted.path.partition("?")[0]
    if "#" in wanted.path or "\\" in unquote(path) or leads_away(path):
        raise invalid("http.path", "below the connection's own address, without a fragment")
    headers = {name: value for name, value in wanted.headers if name.lower() not in _OF_THE_WAY}
    return base_url.rstrip("/") + wanted.path, headers


def told(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """What is told of an answer's headers."""
    kept = [
        (name, value)
        for name, value in headers
        if _NAME.fullmatch(name) and name.lower() != "set-cookie" and len(value) <= MOST_VALUE
    ]
    shown = [(name, value) for name, value in kept if value.isascii() and value.isprintable()]
    return tuple(shown[:MOST_HEADERS])
