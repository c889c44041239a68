"""What is stored: one database, in which every service has its own tables."""

from pathlib import Path

from antiphon_server.auth import compose as auth
from antiphon_server.auth.adapters.tables import metadata as auth_tables
from antiphon_server.context import compose as context
from antiphon_server.context.adapters.tables import metadata as context_tables
from antiphon_server.dispatcher import compose as dispatcher
from antiphon_server.dispatcher.adapters.tables import metadata as dispatcher_tables
from antiphon_server.events import compose as events
from antiphon_server.events.adapters.tables import metadata as events_tables
from antiphon_server.integration import compose as integration
from antiphon_server.integration.ledger.adapters.tables import metadata as integration_tables
from antiphon_server.runtime import nodes
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.migrations import migrate

DATABASE_FILE = "antiphon.db"
SCHEMAS = {
    "auth": (auth.VERSIONS, auth_tables),
    "context": (context.VERSIONS, context_tables),
    "dispatcher": (dispatcher.VERSIONS, dispatcher_tables),
    "events": (events.VERSIONS, events_tables),
    "integration": (integration.VERSIONS, integration_tables),
}
"""The migrations and tables of each service."""
OF_SEVERAL = {"nodes": (Path(nodes.__file__).parent / "versions", nodes.metadata)}
"""What a database has besides that several servers share."""


async def migrate_all(database: Database) -> None:
    """Bring every service's tables to today's form. Raises FromTheFuture, Damaged."""
    schemas = {**SCHEMAS, **(OF_SEVERAL if database.shared else {})}
    for service, (versions, tables) in schemas.items():
        await migrate(database, service, versions, tables)
