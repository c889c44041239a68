"""What describes a service: whatever is known of it before it runs.

A process may know of services that run elsewhere, and of all before any is imported. So what
costs time to import is behind functions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor
    from sqlalchemy import MetaData

    from antiphon_server.runtime.composition.infrastructure import Infrastructure
    from antiphon_server.runtime.composition.links import Guards, Links
    from antiphon_server.runtime.composition.service import Service

Settings = TypeVar("Settings", contravariant=True)


class Schema(NamedTuple):
    """The folder of a service's migrations, and its tables as the newest one leaves them."""

    versions: Path
    tables: "MetaData"


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A service of an installation, whichever process runs it.

    ``name`` is that of its folder and of its contracts' package, ``antiphon.NAME.v1``: calls are
    routed by it. ``port`` is where it listens when it runs by itself, unless configured otherwise.
    ``calls`` names the services that it calls, and starts after; ``calls_later`` those that it
    calls only while it answers calls itself, so that they may start after it. It reaches no others.
    ``contracts`` are the files of what it serves; its health is known by the first one's service.
    Migrations of its ``tables`` are in ``adapters/migrations/versions`` of its ``folder``.
    """

    name: str
    port: int
    calls: tuple[str, ...] = ()
    calls_later: tuple[str, ...] = ()
    folder: Path
    contracts: "Callable[[], tuple[FileDescriptor, ...]]"
    tables: "Callable[[], MetaData]"

    def load(self) -> None:
        """Import the service's code now instead of when it is composed."""
        self.contracts()
        self.tables()

    def schema(self) -> Schema:
        """The service's migrations and tables."""
        return Schema(self.folder / "adapters" / "migrations" / "versions", self.tables())

    def full_name(self) -> str:
        """The name of its first contract, by which its health is known."""
        name: str = next(iter(self.contracts()[0].services_by_name.values())).full_name
        return name

    def methods(self) -> Iterator[str]:
        """The full names of its RPCs, ``/package.Service/Method``."""
        for file in self.contracts():
            for service in file.services_by_name.values():
                for method in service.methods:
                    yield f"/{service.full_name}/{method.name}"


class Compose(Protocol[Settings]):
    """Puts a service together, and starts nothing."""

    def __call__(
        self,
        settings: Settings,
        infrastructure: "Infrastructure",
        links: "Links",
        guards: "Guards",
        /,
    ) -> "Service":
        """``settings`` are what the service says, by a Protocol, that it reads."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDescriptor(Descriptor, Generic[Settings]):
    """A service whose calls are guarded; ``composition`` gives what puts it together."""

    composition: Callable[[], Compose[Settings]]

    def load(self) -> None:
        """Import all of it now, which else is done when it is composed."""
        Descriptor.load(self)
        self.composition()
