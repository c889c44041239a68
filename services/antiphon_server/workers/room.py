"""What the installation hands to the dispatcher of workers: imported when it is needed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import MetaData


def tables() -> "MetaData":
    """The dispatcher's tables, with those of workers."""
    from antiphon_server.workers.adapters.tables import permissions

    return permissions.metadata
