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
    from antiphon_server.dispatcher.worker_room import ComposeWorkers


def _contracts() -> "tuple[FileDescriptor, ...]":
    from antiphon.dispatcher.v1 import dispatcher_service_pb2, worker_service_pb2

    return (dispatcher_service_pb2.DESCRIPTOR, worker_service_pb2.DESCRIPTOR)


def _tables() -> "MetaData":
    from antiphon_server.dispatcher.adapters.tables import metadata

    return metadata


def dispatcher(
    handlers: "Callable[[HandlerSettings, grpc.aio.Channel], Sequence[Handler]]",
    tables: "Callable[[], MetaData]" = _tables,
    workers: "ComposeWorkers | None" = None,
) -> "ServiceDescriptor[ProcessSettings]":
    """The dispatcher with those who work on turns: ``handlers`` makes them when it is composed.

    ``tables`` are the dispatcher's own with those of rooms beside it, whose they are, too;
    ``workers`` puts the room together whose handlers dial in.
    """

    def composition() -> "Compose[ProcessSettings]":
        from antiphon_server.dispatcher.compose import compose_service

        return partial(compose_service, handlers, workers)

    return ServiceDescriptor(
        name="dispatcher",
        port=7463,
        calls=("auth", "context", "events", "integration"),
        folder=Path(__file__).parent,
        contracts=_contracts,
        tables=tables,
        composition=composition,
    )
