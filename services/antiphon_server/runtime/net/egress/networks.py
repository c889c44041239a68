"""Addresses that are nobody's on the Internet, by the registries of IANA and of clouds."""

import ipaddress
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

METADATA = frozenset(
    ipaddress.ip_address(found)
    for found in (
        "169.254.169.254",  # nearly all clouds
        "169.254.170.2",  # AWS, containers
        "169.254.170.23",  # AWS, pods
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
        "168.63.129.16",  # Azure
        "fd00:ec2::254",  # AWS
        "fd00:ec2::23",  # AWS, pods
        "fd20:ce::254",  # Google
    )
)
"""Where clouds hand a machine's credentials to whoever asks from it."""

_REFUSED = tuple(
    (ipaddress.ip_network(network), why)
    for network, why in (
        ("0.0.0.0/8", "this machine"),
        ("10.0.0.0/8", "a private network"),
        ("100.64.0.0/10", "a carrier's network"),
        ("127.0.0.0/8", "this machine"),
        ("169.254.0.0/16", "a link's own network"),
        ("172.16.0.0/12", "a private network"),
        ("192.0.0.0/24", "a reserved network"),
        ("192.0.2.0/24", "a network for examples"),
        ("192.31.196.0/24", "a reserved network"),
        ("192.52.193.0/24", "a reserved network"),
        ("192.88.99.0/24", "a tunnel"),
        ("192.168.0.0/16", "a private network"),
        ("192.175.48.0/24", "a reserved network"),
        ("198.18.0.0/15", "a network for measurements"),
        ("198.51.100.0/24", "a network for examples"),
        ("203.0.113.0/24", "a network for examples"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "a reserved network"),
        ("::1/128", "this machine"),
        ("fc00::/7", "a private network"),
        ("fe80::/10", "a link's own network"),
        ("fec0::/10", "a private network"),
        ("ff00::/8", "multicast"),
        ("2001::/23", "a reserved network"),  # Teredo, ORCHID and others
        ("2001:db8::/32", "a network for examples"),
        ("2002::/16", "a tunnel"),  # 6to4
        ("3fff::/20", "a network for examples"),
    )
)
_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that is given out; IPv4 in disguise (mapped, compatible, NAT64) is outside."""
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_ISATAP = (bytes.fromhex("00005efe"), bytes.fromhex("02005efe"))


@lru_cache(maxsize=4096)
def refusal(address: Address) -> str | None:
    """What an address is, if it is not anybody's on the Internet; None for a public one."""
    if address in METADATA:
        return "a cloud's metadata"
    for network, why in _REFUSED:
        if address.version == network.version and address in network:
            return why
    if isinstance(address, ipaddress.IPv6Address):
        if address not in _UNICAST:
            return "a reserved network"
        if carried(address):
            return "a tunnel"
    return None


def carried(address: Address) -> tuple[ipaddress.IPv4Address, ...]:
    """The addresses of IPv4 that an IPv6 address may lead to by a tunnel or a translator."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    octets = address.packed
    translated = any(address in network for network in _NAT64)
    if translated or not any(octets[:12]) or octets[8:12] in _ISATAP:
        found.append(ipaddress.IPv4Address(octets[12:]))
    return tuple(each for each in found if each is not None)
