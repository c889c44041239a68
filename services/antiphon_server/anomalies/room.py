"""What the installation hands to context of anomalies: imported when it is needed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon_server.context.watching_room import TellsFound, WatchingRoom
    from antiphon_server.runtime.composition.infrastructure import Infrastructure
    from antiphon_server.runtime.composition.links import Links


def tables() -> None:
    """Add those of anomalies to context's."""
    import antiphon_server.anomalies.adapters.tables  # noqa: F401


def watching(
    infrastructure: "Infrastructure", links: "Links", filters: "TellsFound | None"
) -> "WatchingRoom":
    """The room, put together."""
    from antiphon_server.anomalies.compose import compose_watching

    return compose_watching(infrastructure, links, filters)
