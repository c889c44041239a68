"""Connections that stay out of the networks that this machine is in."""

import errno
import ipaddress
import socket
from typing import Any


def is_public(address: str) -> bool:
    """Whether anybody on the Internet could reach it: no private, local or reserved one."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or found
    return found.is_global and not found.is_multicast


def public_socket(address: tuple[Any, ...]) -> socket.socket:
    """A socket for a resolved address, as aiohttp and ``socket.getaddrinfo`` give it.

    It is asked for right before connecting, so no second look-up can give another address.
    Raises OSError if the address is not public.
    """
    family, kind, protocol, _, where = address
    if not is_public(where[0]):
        raise OSError(errno.EACCES, f"{where[0]} is no public address")
    return socket.socket(family, kind, protocol)
