"""The integration service as the installation knows it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from antiphon_server.runtime.composition.descriptor import Schema, ServiceDescriptor

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor

    from antiphon_server.integration.models.settings import ModelSettings
    from antiphon_server.runtime.composition.infrastructure import Infrastructure
    from antiphon_server.runtime.composition.links import Guards, Links
    from antiphon_server.runtime.composition.service import Service


class ProcessSettings(Protocol):
    """What the service wants to be told."""

    @property
    def lease_s(self) -> float: ...

    def all_models(self) -> "Sequence[ModelSettings]":
        """Those that can be called, the default first."""
        ...


def _contracts() -> "tuple[FileDescriptor, ...]":
    from antiphon.integration.v1 import integration_service_pb2

    return (integration_service_pb2.DESCRIPTOR,)


def _schema() -> Schema:
    from antiphon_server.integration.ledger.adapters.tables import metadata

    return Schema(
        Path(__file__).parent / "ledger" / "adapters" / "migrations" / "versions", metadata
    )


def _compose(
    settings: ProcessSettings, infrastructure: "Infrastructure", _links: "Links", guards: "Guards"
) -> "Service":
    from antiphon_server.integration.compose import OWNER, compose_integration
    from antiphon_server.integration.ledger.adapters.lost_calls import LostCalls

    database, lease = infrastructure.database, infrastructure.lease
    return compose_integration(
        database,
        settings.all_models(),
        guards.roles,
        guards.verifier,
        owner=infrastructure.node or OWNER,
        lost_calls=LostCalls(database, lease_s=settings.lease_s) if lease else None,
    )


INTEGRATION = ServiceDescriptor(
    name="integration", port=7465, contracts=_contracts, schema=_schema, compose=_compose
)
