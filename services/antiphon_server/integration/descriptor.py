"""The integration service as the installation knows it."""

from pathlib import Path
from typing import TYPE_CHECKING

from antiphon_server.runtime.composition.descriptor import Compose, ServiceDescriptor

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor
    from sqlalchemy import MetaData

    from antiphon_server.integration.compose import ProcessSettings


def _contracts() -> "tuple[FileDescriptor, ...]":
    from antiphon.integration.v1 import integration_service_pb2, tool_service_pb2

    return (integration_service_pb2.DESCRIPTOR, tool_service_pb2.DESCRIPTOR)


def _tables() -> "MetaData":
    from antiphon_server.integration.tools.adapters.tables import tool_rules

    return tool_rules.metadata  # the ledger's, too


def _composition() -> "Compose[ProcessSettings]":
    from antiphon_server.integration.compose import compose_service

    return compose_service


INTEGRATION = ServiceDescriptor(
    name="integration",
    port=7465,
    calls=("context",),
    folder=Path(__file__).parent / "ledger",
    contracts=_contracts,
    tables=_tables,
    composition=_composition,
)
