"""What the installation hands to context of filters: imported when it is needed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon_server.context.filtering_room import FilteringRoom
    from antiphon_server.runtime.composition.infrastructure import Infrastructure
    from antiphon_server.runtime.composition.links import Links


def tables() -> None:
    """Add those of filters to context's."""
    import antiphon_server.filters.adapters.tables  # noqa: F401


def filtering(infrastructure: "Infrastructure", links: "Links") -> "FilteringRoom":
    """The room, put together."""
    from antiphon_server.filters.compose import compose_filtering

    return compose_filtering(infrastructure, links)
