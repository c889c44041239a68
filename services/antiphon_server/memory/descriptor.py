"""The memory service as the installation knows it."""

from pathlib import Path
from typing import TYPE_CHECKING

from antiphon_server.runtime.composition.descriptor import Compose, ServiceDescriptor

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor
    from sqlalchemy import MetaData

    from antiphon_server.memory.compose import ProcessSettings


def _contracts() -> "tuple[FileDescriptor, ...]":
    from antiphon.memory.v1 import (
        assembly_service_pb2,
        entity_service_pb2,
        forgetting_service_pb2,
        memory_service_pb2,
        pruning_service_pb2,
        search_service_pb2,
        summary_service_pb2,
        whiteboard_service_pb2,
    )

    services = (
        search_service_pb2,
        assembly_service_pb2,
        forgetting_service_pb2,
        memory_service_pb2,
        pruning_service_pb2,
        whiteboard_service_pb2,
        summary_service_pb2,
        entity_service_pb2,
    )
    return tuple(each.DESCRIPTOR for each in services)


def _tables() -> "MetaData":
    from antiphon_server.memory.adapters.tables import metadata

    return metadata


def _composition() -> "Compose[ProcessSettings]":
    from antiphon_server.memory.compose import compose_service

    return compose_service


MEMORY: "ServiceDescriptor[ProcessSettings]" = ServiceDescriptor(
    name="memory",
    port=7466,
    calls=("auth", "context", "events"),
    calls_later=("integration",),
    folder=Path(__file__).parent,
    contracts=_contracts,
    tables=_tables,
    composition=_composition,
)
