"""What the installation hands to the dispatcher of workers: imported when it is needed."""

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon_server.dispatcher.worker_room import TurnStates, WorkerRoom
    from antiphon_server.runtime.composition.infrastructure import Infrastructure
    from antiphon_server.runtime.composition.links import Guards, Links


def tables() -> None:
    """Add those of workers to the dispatcher's."""
    import antiphon_server.workers.adapters.tables  # noqa: F401


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
