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
    from antiphon_server.dispatcher.masking_room import ComposeMasking
    from antiphon_server.dispatcher.notifying_room import ComposeNotifying
    from antiphon_server.dispatcher.routing_room import ComposeRouting
    from antiphon_server.dispatcher.scheduling_room import ComposeScheduling
    from antiphon_server.dispatcher.worker_room import ComposeWorkers


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
    rooms: "Sequence[Callable[[], object]]" = (),
    workers: "ComposeWorkers | None" = None,
    routing: "ComposeRouting | None" = None,
    scheduling: "ComposeScheduling | None" = None,
    masking: "ComposeMasking | None" = None,
    notifying: "ComposeNotifying | None" = None,
) -> "ServiceDescriptor[ProcessSettings]":
    """The dispatcher with those who work on turns: ``handlers`` makes them when it is composed.

    ``rooms`` add the tables of rooms beside it to its own; ``workers`` puts the room together whose
    handlers dial in, ``routing`` the one that finds handlers, ``scheduling`` the one that
    starts turns by the clock, ``masking`` the one by which answers are masked, ``notifying`` the
    one that tells who isn't looking.
    """

    def tables() -> "MetaData":
        from antiphon_server.dispatcher.adapters.tables import metadata

        for room in rooms:
            room()
        return metadata

    def composition() -> "Compose[ProcessSettings]":
        from antiphon_server.dispatcher.compose import compose_service

        rooms_of = (workers, routing, scheduling, masking, notifying)
        return partial(compose_service, handlers, *rooms_of)

    return ServiceDescriptor(
        name="dispatcher",
        port=7463,
        calls=("auth", "context", "events", "integration"),
        folder=Path(__file__).parent,
        contracts=_contracts,
        tables=tables,
        composition=composition,
    )
