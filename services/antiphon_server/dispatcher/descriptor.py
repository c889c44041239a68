"""The dispatcher as the installation knows it."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon_server.runtime.composition.descriptor import Compose, ServiceDescriptor

if TYPE_CHECKING:
    import grpc
    from google.protobuf.descriptor import FileDescriptor
    from sqlalchemy import MetaData

    from antiphon_server.dispatcher.compose import ProcessSettings
    from antiphon_server.dispatcher.handling import Handler, HandlerSettings
    from antiphon_server.dispatcher.rooms import ComposeRooms


def _contracts() -> "tuple[FileDescriptor, ...]":
    from antiphon.dispatcher.v1 import (
        dispatcher_service_pb2,
        handoff_service_pb2,
        route_service_pb2,
        schedule_service_pb2,
        webhook_service_pb2,
        worker_service_pb2,
    )

    services = (
        dispatcher_service_pb2,
        worker_service_pb2,
        route_service_pb2,
        schedule_service_pb2,
        handoff_service_pb2,
        webhook_service_pb2,
    )
    return tuple(each.DESCRIPTOR for each in services)


def dispatcher(
    handlers: "Callable[[HandlerSettings, grpc.aio.Channel], Sequence[Handler]]",
    rooms: "ComposeRooms",
) -> "ServiceDescriptor[ProcessSettings]":
    """The dispatcher with those who work on turns, and the rooms beside it.

    ``handlers`` makes them when it is composed.
    """

    def tables() -> "MetaData":
        from antiphon_server.dispatcher.adapters.tables import metadata

        for add in rooms.tables:
            add()
        return metadata

    def composition() -> "Compose[ProcessSettings]":
        from antiphon_server.dispatcher.compose import compose_service

        return partial(compose_service, handlers, rooms)

    return ServiceDescriptor(
        name="dispatcher",
        port=7463,
        calls=("auth", "context", "events", "integration"),
        calls_later=("memory",),
        folder=Path(__file__).parent,
        contracts=_contracts,
        tables=tables,
        composition=composition,
    )
