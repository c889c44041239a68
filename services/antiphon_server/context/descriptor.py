"""The context service as the installation knows it."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from antiphon_server.runtime.composition.descriptor import Schema, ServiceDescriptor

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor

    from antiphon_server.runtime.composition.infrastructure import Infrastructure
    from antiphon_server.runtime.composition.links import Guards, Links
    from antiphon_server.runtime.composition.service import Service

DAY_S = 86_400.0


class ProcessSettings(Protocol):
    """What the service wants to be told."""

    @property
    def retention_days(self) -> int: ...


def _contracts() -> "tuple[FileDescriptor, ...]":
    from antiphon.context.v1 import context_service_pb2

    return (context_service_pb2.DESCRIPTOR,)


def _schema() -> Schema:
    from antiphon_server.context.adapters.tables import metadata

    return Schema(Path(__file__).parent / "adapters" / "migrations" / "versions", metadata)


def _compose(
    settings: ProcessSettings, infrastructure: "Infrastructure", links: "Links", _guards: "Guards"
) -> "Service":
    from antiphon_server.context.compose import compose_context

    # How long the logs of conversations are kept, in seconds; None for ever.
    kept_s = settings.retention_days * DAY_S if settings.retention_days else None
    return compose_context(infrastructure.database, links.internal, infrastructure.names, kept_s)


CONTEXT = ServiceDescriptor(
    name="context",
    port=7462,
    calls=("auth", "events"),
    contracts=_contracts,
    schema=_schema,
    compose=_compose,
)
