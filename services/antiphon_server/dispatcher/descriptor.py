"""The dispatcher as the installation knows it."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from antiphon_server.runtime.composition.descriptor import Schema, ServiceDescriptor

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor

    from antiphon_server.runtime.composition.infrastructure import Infrastructure
    from antiphon_server.runtime.composition.links import Guards, Links
    from antiphon_server.runtime.composition.service import Service


class ProcessSettings(Protocol):
    """What the dispatcher wants to be told."""

    @property
    def lease_s(self) -> float: ...


def _contracts() -> "tuple[FileDescriptor, ...]":
    from antiphon.dispatcher.v1 import dispatcher_service_pb2

    return (dispatcher_service_pb2.DESCRIPTOR,)


def _schema() -> Schema:
    from antiphon_server.dispatcher.adapters.tables import metadata

    return Schema(Path(__file__).parent / "adapters" / "migrations" / "versions", metadata)


def _compose(
    settings: ProcessSettings, infrastructure: "Infrastructure", links: "Links", guards: "Guards"
) -> "Service":
    from antiphon_server.dispatcher.compose import ALONE, Sharing, compose_dispatcher

    lease = infrastructure.lease
    return compose_dispatcher(
        infrastructure.database,
        links,
        guards,
        infrastructure.node or ALONE,
        Sharing(lease, settings.lease_s, links.to_server) if lease else None,
    )


DISPATCHER = ServiceDescriptor(
    name="dispatcher",
    port=7463,
    calls=("context", "events", "integration"),
    contracts=_contracts,
    schema=_schema,
    compose=_compose,
)
