"""Connections that stay out of the networks that this machine is in."""

import errno
import ipaddress
import socket
from typing import Any

_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is given out. What is outside is local, reserved, or IPv4 in disguise."""
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 as networks without it write it (RFC 6052, 2.1). Its like for local use is not public."""


def is_public(address: str) -> bool:
    """Whether anybody on the Internet could reach it: no private, local or reserved one.

    An IPv6 address that stands for one of IPv4 is what that is.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        carried = found.ipv4_mapped or found.sixtofour or _translated(found)
        if carried is None and found not in _UNICAST:
            return False
        found = carried or found
    return found.is_global and not found.is_multicast


def _translated(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(address.packed[-4:]) if address in _TRANSLATED else None


def public_socket(address: tuple[Any, ...]) -> socket.socket:
    """A socket for a resolved address, as aiohttp and ``socket.getaddrinfo`` give it.

    It is asked for right before connecting, so no second look-up can give another address.
    Raises OSError if the address is not public.
    """
    family, kind, protocol, _, where = address
    if not is_public(where[0]):
        raise OSError(errno.EACCES, f"{where[0]} is no public address")
    return socket.socket(family, kind, protocol)
