"""What the installation hands to the dispatcher of routes: imported when it is needed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon_server.dispatcher.routing_room import RoutingRoom, TurnSources
    from antiphon_server.runtime.composition.infrastructure import Infrastructure
    from antiphon_server.runtime.composition.links import Links


def tables() -> None:
    """Add those of routes to the dispatcher's."""
    import antiphon_server.routing.adapters.tables  # noqa: F401


def routing(
    infrastructure: "Infrastructure", links: "Links", sources: "TurnSources"
) -> "RoutingRoom":
    """The room, put together."""
    from antiphon_server.routing.compose import compose_routing

    return compose_routing(infrastructure, links, sources)
