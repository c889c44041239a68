"""What the installation hands to the dispatcher of workers: imported when it is needed."""

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from antiphon_server.dispatcher.worker_room import TurnStates, WorkerRoom
    from antiphon_server.runtime.composition.infrastructure import Infrastructure
    from antiphon_server.runtime.composition.links import Guards, Links


def tables() -> "MetaData":
    """The dispatcher's tables, with those of workers."""
    from antiphon_server.workers.adapters.tables import permissions

    return permissions.metadata


def workers(
    infrastructure: "Infrastructure",
    links: "Links",
    guards: "Guards",
    built_in: Collection[str],
    turns: "TurnStates",
) -> "WorkerRoom":
    """The room, put together."""
    from antiphon_server.workers.compose import compose_workers

    return compose_workers(infrastructure, links, guards, built_in, turns)
