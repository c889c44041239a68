"""What is stored: one database, in which every service has its own tables."""

from collections.abc import Iterable
from pathlib import Path

from antiphon_server.installation import SERVICES
from antiphon_server.runtime import nodes
from antiphon_server.runtime.composition.descriptor import Descriptor, Schema
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.migrations import migrate

DATABASE_FILE = "antiphon.db"
MOVED_FILE = DATABASE_FILE + ".migrated"
"""What that is called once its rows are in a Postgres: no server takes it for its data."""
MIGRATED_MARK = MOVED_FILE + ".whole"
"""Beside it, once servers take that Postgres for whole: there is nothing left to migrate."""
OF_SEVERAL = {"nodes": Schema(Path(nodes.__file__).parent / "versions", nodes.metadata)}
"""What a database has besides that several servers share."""


async def migrate_all(database: Database, services: Iterable[Descriptor] = SERVICES) -> None:
    """Bring every service's tables to today's form.

    Raises FromTheFuture, Damaged, DatabaseUnusable.
    """
    schemas = schemas_of_several(services) if database.shared else _schemas(services)
    for service, (versions, tables) in schemas.items():
        await migrate(database, service, versions, tables)


def schemas_of_several(services: Iterable[Descriptor] = SERVICES) -> dict[str, Schema]:
    """Those of a database that several servers share, by service."""
    return _schemas(services) | OF_SEVERAL


def _schemas(services: Iterable[Descriptor]) -> dict[str, Schema]:
    return {each.name: each.schema() for each in services}
