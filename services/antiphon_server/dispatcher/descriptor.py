"""The dispatcher as the installation knows it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from antiphon_server.runtime.composition.descriptor import Schema, ServiceDescriptor

if TYPE_CHECKING:
    import grpc
    from google.protobuf.descriptor import FileDescriptor

    from antiphon_server.dispatcher.handling import Handler
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


def dispatcher(
    agents: "Callable[[grpc.aio.Channel], Sequence[Handler]]",
) -> ServiceDescriptor[ProcessSettings]:
    """The dispatcher with its handlers: ``agents`` makes them, with the way to other services."""

    def compose(
        settings: ProcessSettings,
        infrastructure: "Infrastructure",
        links: "Links",
        guards: "Guards",
    ) -> "Service":
        from antiphon_server.dispatcher.compose import ALONE, Sharing, compose_dispatcher

        lease = infrastructure.lease
        return compose_dispatcher(
            infrastructure.database,
            links,
            guards,
            infrastructure.node or ALONE,
            agents(links.internal),
            Sharing(lease, settings.lease_s, links.to_server) if lease else None,
        )

    return ServiceDescriptor(
        name="dispatcher",
        port=7463,
        calls=("context", "events", "integration"),
        contracts=_contracts,
        schema=_schema,
        compose=compose,
    )
