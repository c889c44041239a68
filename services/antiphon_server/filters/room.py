"""What the installation hands to context and the dispatcher: imported when it is needed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon_server.context.filtering_room import FilteringRoom
    from antiphon_server.dispatcher.masking_room import Masks
    from antiphon_server.runtime.composition.infrastructure import Infrastructure
    from antiphon_server.runtime.composition.links import Links


def tables() -> None:
    """Add those of filters to context's."""
    import antiphon_server.filters.adapters.tables  # noqa: F401


def filtering(infrastructure: "Infrastructure", links: "Links") -> "FilteringRoom":
    """The room, put together."""
    from antiphon_server.filters.compose import compose_filtering

    return compose_filtering(infrastructure, links)


def masking(links: "Links") -> "Masks":
    """What masks answers, for the dispatcher."""
    from antiphon_server.filters.answers import AnswerMasks

    return AnswerMasks(links.internal)
