"""The integration service as the installation knows it."""

from pathlib import Path
from typing import TYPE_CHECKING

from antiphon_server.runtime.composition.descriptor import Compose, ServiceDescriptor

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor
    from sqlalchemy import MetaData

    from antiphon_server.integration.compose.settings import ProcessSettings


def _contracts() -> "tuple[FileDescriptor, ...]":
    from antiphon.integration.v1 import (
        budget_service_pb2,
        connection_service_pb2,
        integration_service_pb2,
        secret_service_pb2,
        tool_service_pb2,
    )

    services = (
        integration_service_pb2,
        tool_service_pb2,
        connection_service_pb2,
        secret_service_pb2,
        budget_service_pb2,
    )
    return tuple(service.DESCRIPTOR for service in services)


def _tables() -> "MetaData":
    from antiphon_server.integration.breakers.adapters.tables import switches
    from antiphon_server.integration.budgets.adapters.tables import budgets
    from antiphon_server.integration.connections.adapters.tables import connections
    from antiphon_server.integration.secrets.adapters.tables import secrets
    from antiphon_server.integration.tools.adapters.tables import tool_rules
    from antiphon_server.integration.trail.adapters.tables import trail_outbox

    ours = (budgets, switches, connections, secrets, tool_rules, trail_outbox)
    same = {it.metadata for it in ours}
    assert len(same) == 1  # the ledger's, too
    return secrets.metadata


def _composition() -> "Compose[ProcessSettings]":
    from antiphon_server.integration.compose.integration import compose_service

    return compose_service


INTEGRATION = ServiceDescriptor(
    name="integration",
    port=7465,
    calls=("auth", "context", "events", "memory"),
    folder=Path(__file__).parent / "ledger",
    contracts=_contracts,
    tables=_tables,
    composition=_composition,
)
