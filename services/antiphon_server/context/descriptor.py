"""The context service as the installation knows it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon_server.runtime.composition.descriptor import Compose, ServiceDescriptor

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor
    from sqlalchemy import MetaData

    from antiphon_server.context.compose import ProcessSettings
    from antiphon_server.context.filtering_room import ComposeFiltering
    from antiphon_server.context.watching_room import ComposeWatching


def _contracts() -> "tuple[FileDescriptor, ...]":
    from antiphon.context.v1 import (
        anomaly_service_pb2,
        context_service_pb2,
        erasure_service_pb2,
        filter_service_pb2,
        notice_service_pb2,
    )

    services = (
        *(context_service_pb2, notice_service_pb2, filter_service_pb2, anomaly_service_pb2),
        erasure_service_pb2,
    )
    return tuple(each.DESCRIPTOR for each in services)


def context(
    rooms: "tuple[Callable[[], object], ...]" = (),
    filtering: "ComposeFiltering | None" = None,
    watching: "ComposeWatching | None" = None,
) -> "ServiceDescriptor[ProcessSettings]":
    """The context service; ``rooms`` add the tables of rooms beside it to its own.

    ``filtering`` puts the room together that looks at what is said. It has programs of others asked
    by integration, which has started by the time that anybody says something. ``watching`` puts the
    one together that detects what is out of the ordinary.
    """

    def tables() -> "MetaData":
        from antiphon_server.context.adapters.tables import metadata

        for room in rooms:
            room()
        return metadata

    def composition() -> "Compose[ProcessSettings]":
        from antiphon_server.context.compose import compose_service

        return partial(compose_service, filtering, watching)

    return ServiceDescriptor(
        name="context",
        port=7462,
        calls=("auth", "events"),
        calls_later=("dispatcher", "integration", "memory"),
        folder=Path(__file__).parent,
        contracts=_contracts,
        tables=tables,
        composition=composition,
    )
