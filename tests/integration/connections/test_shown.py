"""Operators see how connections are."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from antiphon_server.integration.connections.adapters.connection_health import ConnectionHealth
from antiphon_server.integration.connections.adapters.connection_metrics import ConnectionMetrics
from antiphon_server.integration.connections.adapters.sql import SqlConnections
from antiphon_server.integration.connections.adapters.sql_egress import SqlEgressRules
from antiphon_server.integration.connections.connections import Connections, Kinds
from antiphon_server.integration.connections.model import Connection, Mcp, State, Status
from antiphon_server.integration.connections.ports import Link
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.concurrency.breaker import State as BreakerState
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.health import Health
from tests.fakes.databases import opened_sqlite

HERE, GONE = (
    Connection("", SourceName(name), Mcp(f"https://{name}.example")) for name in ("here", "gone")
)
OWN = Connection("ws_00000001", SourceName("own"), Mcp("https://here.example"))
HERE_TOO = Connection("ws_00000001", SourceName("here"), Mcp("https://here.example"))


class Answering:
    """A link to what is there, and has no tools."""

    async def discover(self) -> dict[Any, Any]:
        return {}

    async def call(self, call: object) -> Any:
        raise AssertionError("nobody calls")

    async def close(self) -> None:
        return


class Hosts:
    """Reaches all hosts but gone.example."""

    async def check(self, connection: Connection) -> None:
        return

    async def link(self, connection: Connection, changed: Callable[[], None]) -> Link:
        if connection.target == GONE.target:
            raise DomainError(Reason.CONNECTION_UNAVAILABLE, connection="gone", state="down")
        return Answering()


async def _nobody(connection: Connection, status: Status | None) -> None:
    return


async def test_states_are_metrics_and_parts_of_health() -> None:
    """The installation's by name, workspaces' as counts; one that is down stops nobody."""
    async with opened_sqlite(metadata) as database:
        health = Health()
        kinds: Kinds = {Mcp: Hosts()}
        connections = Connections(
            SqlConnections(database), kinds, _nobody, SqlEgressRules(database), [HERE, GONE]
        )
        connections.tell(ConnectionHealth(health))
        await health.ready()
        connections.start()
        await connections.create(OWN)
        await connections.listed("ws_00000001")
        figures = _figures(ConnectionMetrics(connections).collect())
        await connections.close()
    assert figures["antiphon_connection_state", "here", "up"] == 1
    assert figures["antiphon_connection_state", "gone", "down"] == 1
    assert figures["antiphon_connection_state", "gone", "up"] == 0
    assert figures["antiphon_workspace_connections", "up"] == 1
    assert not [labels for labels in figures if "own" in labels]
    assert figures["antiphon_connection_breaker_state", "here", "closed"] == 1
    assert figures["antiphon_connection_breaker_by_hand", "here"] == 0
    assert figures["antiphon_workspace_connection_breakers", "closed"] == 1
    breakers = 2 * len(BreakerState) + 2 + len(BreakerState)
    assert len(figures) == 2 * len(State) + 2 + len(State) + breakers
    assert health.parts == {"connection.here": True, "connection.gone": False}
    assert health.serving


def _figures(families: Iterable[Any]) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


async def test_what_is_private_no_workspace_has() -> None:
    """The server itself has it, and no workspace makes another of its name."""
    async with opened_sqlite(metadata) as database:
        connections = Connections(
            SqlConnections(database),
            {Mcp: Hosts()},
            _nobody,
            SqlEgressRules(database),
            [HERE, GONE],
            private={HERE.name},
        )
        connections.start()
        assert list(await connections.of("ws_00000001", [])) == [GONE.name]
        assert set(await connections.of("", [])) == {HERE.name, GONE.name}
        for ask in (connections.get("ws_00000001", HERE.name), connections.create(HERE_TOO)):
            with pytest.raises(DomainError) as refused:
                await ask
            assert refused.value.reason in (Reason.NOT_FOUND, Reason.ALREADY_EXISTS)
        await connections.close()
