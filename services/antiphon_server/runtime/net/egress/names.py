"""One spelling of a host, so that no two readers of an address can take it for two places."""

import ipaddress
import re
from dataclasses import dataclass

from antiphon_server.runtime.errors.domain_error import DomainError, Reason
from antiphon_server.runtime.net.egress.networks import Address

MOST_LETTERS = 253
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_URL = re.compile(r"(https?|wss?)://([^/?#\\]*)(?=[/?#]|$)", re.ASCII | re.IGNORECASE)
_PLACE = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\[\]:@]+))(?::([0-9]{1,5}))?", re.ASCII | re.I)
_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def denied(host: str, why: str) -> DomainError:
    """Calls to that host are not allowed from here."""
    return DomainError(Reason.EGRESS_DENIED, host=host[:MOST_LETTERS], why=why)


def literal(host: str) -> Address | None:
    """The address that a host is; None for a name.

    Raises DomainError EGRESS_DENIED for what readers take for different things: numbers that are
    no four decimal ones, a zone, a dot at the end, letters outside of ASCII (`xn--…` says them).
    """
    try:
        if ":" in host and "%" not in host:
            return ipaddress.IPv6Address(host)
        labels = host.lower().split(".")
        if _NUMBER.fullmatch(labels[-1]):
            return ipaddress.IPv4Address(host)
    except ValueError:
        raise denied(host, "it is not written as addresses are") from None
    if len(host) > MOST_LETTERS or not all(map(_LABEL.fullmatch, labels)):
        raise denied(host, "it is not written as names of hosts are")
    return None


def named(host: str) -> bool:
    """Whether it is written as hosts are."""
    try:
        literal(host)
    except DomainError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads: ``host`` without brackets, in small letters."""

    scheme: str
    host: str
    port: int

    @property
    def encrypted(self) -> bool:
        """Whether what is said there is encrypted."""
        return self.scheme in ("https", "wss")

    @property
    def authority(self) -> str:
        """Host and port: what is called there is one server's."""
        return f"{self.host}:{self.port}"


def place_of(url: str) -> Place:
    """Where a URL of http, https, ws or wss leads. Raises DomainError EGRESS_DENIED."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise denied("-", "the URL has letters that URLs don't have")
    found = _URL.match(url)
    if found is None:
        raise denied("-", "it is no URL of http, https, ws or wss")
    place = _PLACE.fullmatch(found[2])
    if place is None:
        raise denied("-", "the URL names a user, or no host and port")
    return _place(found[1].lower(), (place[1] or place[2]).lower(), place)


def _place(scheme: str, host: str, found: re.Match[str]) -> Place:
    port = int(found[3]) if found[3] else _PORTS[scheme]
    if not 0 < port < 65536:
        raise denied(host, "there is no such port")
    literal(host)
    if found[1] and ":" not in host:
        raise denied(host, "it is not written as addresses are")
    return Place(scheme, host, port)
