"""Where a process finds the services that others run: the settings' record of addresses."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from antiphon_server.installation import SERVICES
from antiphon_server.runtime.composition.descriptor import Descriptor
from antiphon_server.runtime.configuration import configured, host_and_port


class PeerAddresses(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where this process finds each service that it does not run, ``host:port``.

    A host may be any name that gRPC resolves; behind one with several addresses calls go to
    each in turn.
    """

    def __post_init__(self) -> None:
        """Raises WrongSetting."""
        for name in self.names:
            host_and_port(name, self.address(name))

    @property
    def names(self) -> tuple[str, ...]:
        """All services of the installation."""
        return self.__struct_fields__

    def address(self, service: str) -> str:
        """The service's address."""
        found: str = getattr(self, service)
        return found


def peers_of(services: Iterable[Descriptor]) -> type[PeerAddresses]:
    """A record with the address of each service, by default at its own port on this machine."""
    fields = [(each.name, str, f"127.0.0.1:{each.port}") for each in services]
    made = msgspec.defstruct(
        "Peers", fields, bases=(PeerAddresses,), frozen=True, forbid_unknown_fields=True
    )
    assert issubclass(made, PeerAddresses)
    return made


if TYPE_CHECKING:
    Peers = PeerAddresses
else:
    Peers = peers_of(SERVICES)


def peers_at(
    addresses: Mapping[str, str], services: Iterable[Descriptor] = SERVICES
) -> PeerAddresses:
    """Peers at those addresses. Raises WrongSetting."""
    return configured(addresses, peers_of(services))
