"""The context service as the installation knows it."""

from pathlib import Path
from typing import TYPE_CHECKING

from antiphon_server.runtime.composition.descriptor import Compose, ServiceDescriptor

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor
    from sqlalchemy import MetaData

    from antiphon_server.context.compose import ProcessSettings


def _contracts() -> "tuple[FileDescriptor, ...]":
    from antiphon.context.v1 import context_service_pb2, notice_service_pb2

    return (context_service_pb2.DESCRIPTOR, notice_service_pb2.DESCRIPTOR)


def _tables() -> "MetaData":
    from antiphon_server.context.adapters.tables import metadata

    return metadata


def _composition() -> "Compose[ProcessSettings]":
    from antiphon_server.context.compose import compose_service

    return compose_service


CONTEXT = ServiceDescriptor(
    name="context",
    port=7462,
    calls=("auth", "events"),
    folder=Path(__file__).parent,
    contracts=_contracts,
    tables=_tables,
    composition=_composition,
)
