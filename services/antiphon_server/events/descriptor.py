"""The events service, which has the log, as the installation knows it."""

from pathlib import Path
from typing import TYPE_CHECKING

from antiphon_server.runtime.composition.descriptor import Compose, ServiceDescriptor

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor
    from sqlalchemy import MetaData


def _contracts() -> "tuple[FileDescriptor, ...]":
    from antiphon.events.v1 import event_service_pb2

    return (event_service_pb2.DESCRIPTOR,)


def _tables() -> "MetaData":
    from antiphon_server.events.adapters.tables import metadata

    return metadata


def _composition() -> "Compose[object]":
    from antiphon_server.events.compose import compose_service

    return compose_service


EVENTS = ServiceDescriptor(
    name="events",
    port=7464,
    folder=Path(__file__).parent,
    contracts=_contracts,
    tables=_tables,
    composition=_composition,
)
