"""Which URLs an identity provider or a redirect may have."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from antiphon_server.runtime.net.loopback import is_loopback

LONGEST = 1024
_PRINTED = re.compile(r"[!-~]+")
_LOOPBACK_REDIRECT = re.compile(
    r"http://(?:127\.0\.0\.1|\[::1\]):([1-9][0-9]{0,4})(?:/[0-9A-Za-z._~-]+)*/?"
)


def split(url: str) -> SplitResult | None:
    """The parts of an absolute URL of printed ASCII characters with a host and no user."""
    if len(url) > LONGEST or _PRINTED.fullmatch(url) is None or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if whole and "@" not in parts.netloc and not parts.fragment else None


def is_safe(url: str) -> bool:
    """Whether what is sent there stays secret: https, or http that stays on this machine."""
    parts = split(url)
    if parts is None:
        return False
    local = parts.scheme == "http" and is_loopback(parts.hostname or "")
    return parts.scheme == "https" or local


def is_private(host: str) -> bool:
    """Whether the host is this machine, or an address that is literally a private one.

    Of names `localhost` alone is this machine, if it resolves to nothing else.
    """
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return is_loopback(host)
    return found.is_private and not found.is_link_local


def is_loopback_redirect(url: str) -> bool:
    """Whether a program on the user's own machine listens there (RFC 8252, 7.3 and 8.3).

    The address is literal, as `localhost` may be made to mean another one; the port is
    any, the path plain.
    """
    found = _LOOPBACK_REDIRECT.fullmatch(url)
    return found is not None and len(url) <= LONGEST and int(found[1]) <= 65535
