"""What the installation hands to the dispatcher of notifications: imported when it is needed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon_server.dispatcher.notifying_room import NotifyingRoom, NotifyingSettings
    from antiphon_server.runtime.composition.infrastructure import Infrastructure
    from antiphon_server.runtime.composition.links import Links


def tables() -> None:
    """Add those of notifications to the dispatcher's."""
    import antiphon_server.notifying.adapters.tables  # noqa: F401


def notifying(
    settings: "NotifyingSettings", infrastructure: "Infrastructure", links: "Links"
) -> "NotifyingRoom":
    """The room, put together."""
    from antiphon_server.notifying.compose import compose_notifying

    return compose_notifying(settings, infrastructure, links)
