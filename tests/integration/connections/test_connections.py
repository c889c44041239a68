"""The connections of a workspace, which other servers and the end of this one change meanwhile."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from antiphon_server.integration.connections.adapters.sql import SqlConnections
from antiphon_server.integration.connections.adapters.sql_egress import SqlEgressRules
from antiphon_server.integration.connections.connections import Connections, Kinds
from antiphon_server.integration.connections.model import Bearer, Connection, Mcp, Status
from antiphon_server.integration.connections.ports import Change, Kind, Link
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.integration.tools.model import Call, Caller, SourceName, ToolCallId, ToolName
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.storage.database import Database
from tests.e2e.refusals import Refused
from tests.fakes.databases import opened_sqlite
from tests.integration.connections.test_shown import GONE, Answering, Hosts

WORKSPACE = "ws_00000001"
KEY = SecretName("key")


def _named(name: str) -> Connection:
    """One that is away, signed by a secret."""
    return Connection(WORKSPACE, SourceName(name), GONE.target, credential=Bearer(KEY))


async def _nobody(connection: Connection, status: Status | None) -> None:
    return


def _made(store: SqlConnections, database: Database, kind: Kind | None = None) -> Connections:
    kinds: Kinds = {Mcp: kind or Hosts()}
    return Connections(store, kinds, _nobody, SqlEgressRules(database))


class Breaking(Answering):
    """Can't be closed."""

    async def close(self) -> None:
        raise OSError("it is gone")


class Long(Answering):
    """Answers no call until it is closed."""

    def __init__(self) -> None:
        self.called, self.closed = asyncio.Event(), asyncio.Event()

    async def call(self, call: object) -> Any:
        self.called.set()
        await self.closed.wait()

    async def close(self) -> None:
        self.closed.set()


class Links:
    """Has the link of each connection."""

    def __init__(self, **links: Link) -> None:
        self._links = links

    async def check(self, connection: Connection) -> None:
        return

    async def link(self, connection: Connection, changed: Callable[[], None]) -> Link:
        return self._links[connection.name]


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


def _opened() -> set[str]:
    """The names of tasks that keep connections."""
    names = {task.get_name() for task in asyncio.all_tasks()}
    return {name for name in names if name.startswith("integration.connection")}


async def test_one_that_cannot_be_closed_costs_no_other() -> None:
    """What was let go before, under whose calls it waits, is closed too."""
    async with opened_sqlite(metadata) as database:
        long = Long()
        links = Links(breaking=Breaking(), long=long)
        connections = _made(SqlConnections(database), database, links)
        for name in ("breaking", "long"):
            await connections.create(_named(name))
        one = await connections.get(WORKSPACE, SourceName("long"))
        await connections.listed(WORKSPACE)
        call = Call(ToolCallId("1"), ToolName("long.one"), {}, Caller(WORKSPACE))
        calling = asyncio.create_task(one.call(call))
        await long.called.wait()
        await connections.delete(WORKSPACE, SourceName("long"))
        await connections.close()
        assert long.closed.is_set()
        await calling
        assert not _opened()


async def test_what_is_closed_begins_none() -> None:
    """Though a call of a tool, or a person, still asks for them."""
    async with opened_sqlite(metadata) as database:
        connections = _made(SqlConnections(database), database)
        await connections.create(_named("first"))
        await connections.close()
        with Refused(Reason.DRAINING):
            await connections.listed(WORKSPACE)
        assert not _opened()
