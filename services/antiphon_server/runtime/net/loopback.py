"""Which hosts are this machine itself."""

import ipaddress
import socket
from collections.abc import Callable, Iterable


def _addresses(host: str) -> Iterable[str]:
    """What the machine takes a name for. Raises OSError."""
    return {str(found[4][0]) for found in socket.getaddrinfo(host, None)}


def is_loopback(host: str, addresses: Callable[[str], Iterable[str]] = _addresses) -> bool:
    """Whether a host, by number or as `localhost`, is only reached from this machine.

    Where `localhost` has an address that others reach, as an odd hosts file or a name server
    may say, it is not (RFC 6761, 6.3 wants that never to be so).
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    if host != "localhost":
        return False
    try:
        return all(ipaddress.ip_address(found).is_loopback for found in addresses(host))
    except OSError:
        return False
