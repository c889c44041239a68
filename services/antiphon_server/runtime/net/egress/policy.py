"""Which hosts and addresses may be called."""

import ipaddress
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from antiphon_server.runtime.net.egress.names import denied, literal
from antiphon_server.runtime.net.egress.networks import (
    METADATA,
    Address,
    Network,
    carried,
    refusal,
)

_NOT_LISTED = (
    "the workspace's list does not have it; an admin adds it by `antiphon connections allow HOST`"
)
_ALLOWED_BY = "; the server's operator allows it by ANTIPHON_EGRESS_ALLOW_HOSTS"


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What may be called: all public addresses, and what the operator allows besides.

    ``hosts`` are names, or `*.name` for all that is below one; ``networks`` are any addresses.
    A cloud's metadata is reached only where its address itself is allowed, by no wider network and
    by no name. ``only`` are the hosts that a workspace keeps to; None for all.
    """

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    only: frozenset[str] | None = None

    @classmethod
    def allowing(cls, hosts: Iterable[str], networks: Iterable[str]) -> "EgressPolicy":
        """The policy of an operator's words. Raises ValueError for a network that is none."""
        return cls(frozenset(map(_pattern, hosts)), tuple(map(ipaddress.ip_network, networks)))

    def trusting(self, host: str) -> "EgressPolicy":
        """The same with one host more, which the operator has named."""
        return replace(self, hosts=self.hosts | {_pattern(host)})

    def within(self, hosts: Collection[str]) -> "EgressPolicy":
        """The same for a workspace, which may call these hosts alone; it allows nothing new."""
        kept = frozenset(map(_pattern, hosts))
        if self.only is not None:
            kept = frozenset(host for host in kept if _listed(host.removeprefix("*."), self.only))
        return replace(self, only=kept)

    def check_host(self, host: str) -> Address | None:
        """Check a host before it is looked up; returns its address if it is one.

        Raises DomainError EGRESS_DENIED.
        """
        address = literal(host)
        if self.only is not None and not _listed(host.lower(), self.only):
            raise denied(host, _NOT_LISTED)
        if address is not None:
            self.check_address(host, address)
        return address

    def check_address(self, host: str, address: Address | str) -> None:
        """Check an address of a host. Raises DomainError EGRESS_DENIED."""
        found = _address(host, address) if isinstance(address, str) else address
        why = refusal(found)
        if why is None or all(self._allows(host, each) for each in (found, *carried(found))):
            return
        advice = "" if found in METADATA else _ALLOWED_BY
        raise denied(host, f"its address belongs to {why}{advice}")

    def _allows(self, host: str, address: Address) -> bool:
        if address in METADATA:
            return any(
                network.num_addresses == 1 and address in network for network in self.networks
            )
        if refusal(address) is None or _listed(host.lower(), self.hosts):
            return True
        return any(address in network for network in self.networks)


def _address(host: str, text: str) -> Address:
    if "%" in text:
        raise denied(host, "its address is one of a link alone")
    return ipaddress.ip_address(text)


def _pattern(host: str) -> str:
    """A host of a list as it is compared. Raises ValueError if it is neither name nor address."""
    return host.strip().strip("[]").lower()


def _listed(host: str, patterns: Collection[str]) -> bool:
    if not patterns:
        return False
    if host in patterns:
        return True
    labels = host.split(".")
    return any("*." + ".".join(labels[at:]) in patterns for at in range(1, len(labels)))
