"""Where callers are: by their connection, or by what a trusted proxy says of it."""

import ipaddress
import logging
import socket
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from functools import lru_cache
from urllib.parse import unquote

LOCAL = "local"
"""The address of calls within the process."""
FORWARDED = "x-forwarded-for"
_LONGEST_HEADER = 4096
_LOOPBACK = "127.0.0.1"
_ANY_PORT = 9
_MISSING = (
    "a call from %s has no x-forwarded-for. If it came through the proxy, let the proxy write that "
    "header: whoever comes without it shares one address, its limits and its guesses of passwords"
)

log = logging.getLogger(__name__)

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Metadata = Iterable[tuple[str, str | bytes]]

_current: ContextVar[str] = ContextVar("address", default=LOCAL)


def current_address() -> str:
    """The address of the current RPC's caller, as ``Callers`` formats it."""
    return _current.get()


def set_address(address: str) -> None:
    """Note where the caller is for the rest of this task; the address interceptor's alone."""
    _current.set(address)


def forwarded_for() -> tuple[tuple[str, str], ...]:
    """The header that tells another server of where the caller is, as a proxy's does.

    What the caller itself wrote there is nobody's word. None for calls within the process.
    """
    address = current_address().partition("/")[0]
    return ((FORWARDED, address),) if _ip(address) else ()


class Callers:
    """Finds where a caller is: no port, and only the network of an IPv6 address.

    Who owns one IPv6 address owns 2**64, so those count as one. Behind a proxy the caller is the
    last in ``x-forwarded-for`` that is no proxy: whatever stands before it, the caller may have
    made up. ``trusted`` are the proxies' networks; with none named, whoever connects is the one
    proxy. Without a proxy the header is anybody's, and is not read.
    """

    def __init__(self, behind_proxy: bool = False, trusted: Sequence[Network] = ()) -> None:
        self._behind_proxy = behind_proxy
        self._trusted = tuple(trusted)
        self._caller = lru_cache(4096)(self._find)  # callers come again
        self._may_connect = lru_cache(4096)(self._is_known)  # one for each connection
        self._warned = False

    def admits(self, peer: str) -> bool:
        """Whether a peer may call: with proxies named, only they and this machine.

        What others send would come in clear, past the proxy.
        """
        return not (self._behind_proxy and self._trusted) or self._may_connect(peer)

    def address(self, peer: str, metadata: Metadata) -> str:
        """The caller's address; ``peer`` is as gRPC writes it.

        Such as ``ipv4:203.0.113.7:4711`` and ``ipv6:%5B2001:db8::1%5D:4711``.
        """
        forwarded = _forwarded(metadata) if self._behind_proxy else ""
        if forwarded:
            return self._caller(peer, forwarded)
        found = _address_of_peer(peer)
        if self._behind_proxy and not self._warned:
            self._warned = True
            log.warning(_MISSING, found)
        return found

    def _is_known(self, peer: str) -> bool:
        return self._trusts(_ip_of_peer(peer)) or on_this_machine(_address_of_peer(peer))

    def _find(self, peer: str, forwarded: str) -> str:
        connected = _ip_of_peer(peer)
        if self._trusted and not self._trusts(connected):
            return _address_of_peer(peer)
        found = _address_of_peer(peer)
        for entry in reversed(forwarded.split(",")):
            ip = _ip(_host(entry))
            if ip is None:
                break  # no proxy writes that: what is known of before stands
            found = _network(ip)
            if not self._trusts(ip):
                break
        return found

    def _trusts(self, ip: Ip | None) -> bool:
        return ip is not None and any(ip in network for network in self._trusted)


@lru_cache(4096)
def on_this_machine(address: str) -> bool:
    """Whether an address, as ``Callers`` writes it, is this machine's own."""
    if address == LOCAL or address == "unix":
        return True
    ip = _ip(address.partition("/")[0])
    return ip is not None and (ip.is_loopback or address == "::/64")


@lru_cache(4096)
def network_place(address: str) -> str:
    """Where an address is, to tell whether somebody came from there before.

    All addresses of this machine are one place: an Envoy here reports a loopback caller by the
    machine's outward address, and who brings a link to a page signs in by a call in the process.
    """
    ip = _ip(address.partition("/")[0])
    here = on_this_machine(address) or (ip is not None and _is_own(ip))
    return _LOOPBACK if here else address


def _is_own(ip: Ip) -> bool:
    """Whether this machine would reach an address from that same address. Nothing is sent."""
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.setblocking(False)
            probe.connect((str(ip), _ANY_PORT))
            return bool(probe.getsockname()[0] == str(ip))
    except OSError:  # no way leads there
        return False


@lru_cache(4096)
def region(address: str) -> str:
    """The wide network that an address is in, as ``Callers`` writes it: /16, of IPv6 /32.

    Few have addresses in many of them.
    """
    ip = _ip(address.partition("/")[0])
    if ip is None:
        return address
    return str(ipaddress.ip_network((ip, 16 if ip.version == 4 else 32), strict=False))


def _forwarded(metadata: Metadata) -> str:
    """What proxies have noted, the nearest last; several headers are one list (RFC 9110, 5.3)."""
    values = [value for key, value in metadata if key == FORWARDED and isinstance(value, str)]
    return ",".join(values)[-_LONGEST_HEADER:]


@lru_cache(4096)  # one for each connection
def _address_of_peer(peer: str) -> str:
    ip = _ip_of_peer(peer)
    return _network(ip) if ip is not None else unquote(peer).partition(":")[0]


def _ip_of_peer(peer: str) -> Ip | None:
    kind, _, rest = unquote(peer).partition(":")
    return _ip(_host(rest)) if kind in ("ipv4", "ipv6") else None


def _host(text: str) -> str:
    """The host of ``host``, ``host:port``, ``[host]`` or ``[host]:port``, without a zone."""
    text = text.strip()
    if text.startswith("["):
        host = text[1:].partition("]")[0]
    else:
        host = text.partition(":")[0] if text.count(":") == 1 else text
    return host.partition("%")[0]


def _ip(host: str) -> Ip | None:
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return None
    return (ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None) or ip


def _network(ip: Ip) -> str:
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
