"""What is stored: one database, in which every service has its own tables."""

from collections.abc import Iterable
from pathlib import Path

from antiphon_server.installation import SERVICES
from antiphon_server.runtime import nodes
from antiphon_server.runtime.composition.descriptor import Descriptor, Schema
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.migrations import migrate

DATABASE_FILE = "antiphon.db"
OF_SEVERAL = {"nodes": Schema(Path(nodes.__file__).parent / "versions", nodes.metadata)}
"""What a database has besides that several servers share."""


async def migrate_all(database: Database, services: Iterable[Descriptor] = SERVICES) -> None:
    """Bring every service's tables to today's form. Raises FromTheFuture, Damaged."""
    schemas = {each.name: each.schema() for each in services}
    if database.shared:
        schemas |= OF_SEVERAL
    for service, (versions, tables) in schemas.items():
        await migrate(database, service, versions, tables)
