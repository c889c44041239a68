"""The connections of a workspace, which other servers and the end of this one change meanwhile."""

from collections.abc import Sequence
from typing import Any

import pytest

from antiphon_server.integration.connections.adapters.sql import SqlConnections
from antiphon_server.integration.connections.adapters.sql_egress import SqlEgressRules
from antiphon_server.integration.connections.connections import Connections, Kinds
from antiphon_server.integration.connections.model import Bearer, Connection, Mcp, Status
from antiphon_server.integration.connections.ports import Change
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import opened_sqlite
from tests.integration.connections.test_shown import GONE, Hosts

WORKSPACE = "ws_00000001"
KEY = SecretName("key")


def _named(name: str) -> Connection:
    """One that is away, signed by a secret."""
    return Connection(WORKSPACE, SourceName(name), GONE.target, credential=Bearer(KEY))


async def _nobody(connection: Connection, status: Status | None) -> None:
    return


def _made(store: SqlConnections, database: Database) -> Connections:
    kinds: Kinds = {Mcp: Hosts()}
    return Connections(store, kinds, _nobody, SqlEgressRules(database))


class Hurried(SqlConnections):
    """Another server removes a connection just after it was read, or just before it is changed."""

    when = ""

    async def of(self, workspace_id: str) -> Sequence[Connection]:
        found = await super().of(workspace_id)
        await self._remove("read", workspace_id)
        return found

    async def change(self, workspace_id: str, name: SourceName, change: Change) -> Any:
        await self._remove("changed", workspace_id)
        return await super().change(workspace_id, name, change)

    async def _remove(self, when: str, workspace_id: str) -> None:
        if when == self.when:
            self.when = ""
            await super().change(workspace_id, SourceName("first"), lambda _: None)


@pytest.mark.parametrize("when", ["read", "changed"])
async def test_what_is_removed_while_a_secret_is_set_stays_so(when: str) -> None:
    """Its secret is set all the same, and the others that it signs are opened anew."""
    async with opened_sqlite(metadata) as database:
        store = Hurried(database)
        connections = _made(store, database)
        for name in ("first", "second"):
            await connections.create(_named(name))
        before = {it.name: it for it in await connections.listed(WORKSPACE)}
        store.when = when
        await connections.sign_anew(WORKSPACE, KEY)
        (left,) = await connections.listed(WORKSPACE)
        assert left.name == "second"
        assert left.connection.etag != before[left.name].connection.etag
        await connections.close()
