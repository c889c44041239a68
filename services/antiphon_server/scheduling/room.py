"""What the installation hands to the dispatcher of schedules: imported when it is needed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon_server.dispatcher.scheduling_room import SchedulingRoom, TurnDoors
    from antiphon_server.runtime.composition.infrastructure import Infrastructure
    from antiphon_server.runtime.composition.links import Links


def tables() -> None:
    """Add those of schedules to the dispatcher's."""
    import antiphon_server.scheduling.adapters.tables  # noqa: F401


def scheduling(
    infrastructure: "Infrastructure", links: "Links", doors: "TurnDoors"
) -> "SchedulingRoom":
    """The room, put together."""
    from antiphon_server.scheduling.compose import compose_scheduling

    return compose_scheduling(infrastructure, links, doors)
