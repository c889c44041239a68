"""All that integration keeps, made by calls, and used again where its rows were taken to."""

import json
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from antiphon.integration.v1 import connection_pb2 as pb
from antiphon.integration.v1.budget_pb2 import (
    BUDGET_SCOPE_CONVERSATION,
    BUDGET_WINDOW_ONCE,
    Budget,
    BudgetLimit,
)
from antiphon.integration.v1.model_pb2 import BREAKER_STATE_CLOSED
from antiphon.integration.v1.tool_pb2 import TOOL_RULE_ALWAYS, TOOL_STATE_AVAILABLE
from antiphon_client import Client, text_of
from tests.cli.large_results import LINES
from tests.e2e.consents import authorized
from tests.fakes.authorized_mcp import Issuer, authorized_mcp
from tests.fakes.mcp_server import Outside, mcp_server
from tests.fakes.rest_service import DOCUMENT
from tests.proofs.bench.processes import ROOT

CANARY = "c4nary-that-moves"
WAITING = {"integration_trail_outbox"}
"""The tables that are empty when nothing waits."""
MODEL = {
    "name": "test/echo",
    "kind": "scripted",
    "model": "echo",
    "script": {"calls": {"dump": [{"tool": "big.dump", "arguments": "{}"}]}},
}
BUDGET = Budget(
    name="calls",
    scope=BUDGET_SCOPE_CONVERSATION,
    window=BUDGET_WINDOW_ONCE,
    limit=BudgetLimit(calls=100),
)
PROGRAM = {
    "command": sys.executable,
    "arguments": ["-m", "tests.cli.large_results"],
    "folder": str(ROOT),
}
VARIABLES = {
    "ANTIPHON_PROGRAMS": json.dumps({"big": PROGRAM}),
    "ANTIPHON_CONNECTIONS": json.dumps([{"name": "big", "program": "big"}]),
    "ANTIPHON_EGRESS_ALLOW_NETWORKS": '["127.0.0.0/8"]',
}


class Kept:
    """A workspace with something in each table, and where its calls go."""

    def __init__(self, outside: Outside, port: int, issuer: Issuer) -> None:
        self._outside, self._issuer = outside, issuer
        self._here = f"http://127.0.0.1:{port}"
        self._workspace = self._conversation = self._call = ""
        self._before: list[bytes] = []

    async def fill(self, client: Client) -> None:
        """A secret, connections, a consent, hosts, a document, a rule, a pin, a large result.

        And a budget of which something is spent, and a breaker that was closed by hand.
        """
        made = await client.create_conversation(tools=["big.*"], models=["test/echo"])
        self._workspace, self._conversation = made.workspace_id, made.conversation_id
        await client.put_secret(self._workspace, "it", CANARY)
        await client.set_egress_rules(self._workspace, pb.EgressRules(hosts=["127.0.0.1"]))
        for it in self._connections():
            await client.create_connection(self._workspace, it)
        await authorized(client, self._workspace)
        await client.set_tool_rule(self._workspace, "big.dump", TOOL_RULE_ALWAYS)
        await client.put_budget(self._workspace, BUDGET)
        await client.set_model_breaker("test/echo", BREAKER_STATE_CLOSED)
        async with client.converse(self._conversation) as talk:
            await (await talk.post("dump")).result()
        log = await client.read_events(f"conversations/{self._conversation}")
        [done] = [it.tool_call_finished for it in log.events if it.HasField("tool_call_finished")]
        assert done.kept
        self._call = done.tool_call_id
        self._before = await self._told(client)
        await self.works(client)

    async def works(self, client: Client) -> None:
        """What is told is what was told, values open, the grant holds, the result is whole."""
        assert await self._told(client) == self._before
        for name in ("wiki", "notes", "shop"):
            tested = await client.test_connection(self._workspace, name)
            assert tested.status.state == pb.CONNECTION_STATE_UP, tested
        self._outside.told.clear()
        await client.call_tool(self._workspace, "wiki.add", {"a": 1, "b": 2})
        assert {it.get("authorization") for _, it in self._outside.told} == {f"Bearer {CANARY}"}
        noted = await client.call_tool(self._workspace, "notes.note", {"text": "it"})
        assert text_of(noted.parts) == "noted: it"
        assert len(self._issuer.asked) == 1
        assert (await client.get_tool(self._workspace, "shop.echo")).state == TOOL_STATE_AVAILABLE
        whole = [it async for it in client.tool_result_data(self._conversation, self._call)]
        assert b"".join(whole).splitlines()[-1] == f"line {LINES - 1}".encode()

    async def opens_nothing(self, client: Client) -> None:
        """Beside another installation's secret they are listed, and say what to do."""
        names = [it.name async for it in client.list_secrets(self._workspace)]
        assert names == ["it"]
        reasons = {}
        for name in ("wiki", "notes"):
            tested = await client.test_connection(self._workspace, name)
            reasons[name] = tested.status.error_reason
        assert reasons == {"wiki": "NOT_FOUND", "notes": "AUTHORIZATION_REQUIRED"}
        await client.put_secret(self._workspace, "it", CANARY)
        tested = await client.test_connection(self._workspace, "wiki")
        assert tested.status.state == pb.CONNECTION_STATE_UP

    def _connections(self) -> list[pb.Connection]:
        mcp = pb.McpTarget(url=f"{self._here}/mcp")
        document = pb.OpenApiTarget(document=json.dumps(DOCUMENT).encode(), base_url=self._here)
        notes = pb.McpTarget(url=f"{self._issuer.url}/mcp")
        oauth = pb.Credential(oauth=pb.OAuthCredential())
        return [
            pb.Connection(name="wiki", mcp=mcp, credential=pb.Credential(bearer="it")),
            pb.Connection(name="shop", openapi=document),
            pb.Connection(name="notes", mcp=notes, credential=oauth),
        ]

    async def _told(self, client: Client) -> list[bytes]:
        """What is listed, but for states, which are each server's own."""
        told = [it async for it in client.list_secrets(self._workspace)]
        connections = [it async for it in client.list_connections(self._workspace)]
        for one in connections:
            one.ClearField("status")
        rules = await client.get_egress_rules(self._workspace)
        rule = (await client.get_tool(self._workspace, "big.dump")).rule
        [budget] = [it async for it in client.list_budgets(self._workspace)]
        assert budget.states[0].spent
        rows = [*told, *connections, rules, budget]
        return [*(it.SerializeToString(deterministic=True) for it in rows), str(rule).encode()]


@asynccontextmanager
async def kept_outside() -> AsyncIterator[Kept]:
    """The places that are called, on this machine, for as long as the rows are taken around."""
    async with mcp_server() as (outside, port), authorized_mcp() as issuer:
        yield Kept(outside, port, issuer)


def empty_tables(file: Path) -> set[str]:
    """The tables of integration in which there is nothing."""
    with closing(sqlite3.connect(file)) as database:
        named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'integration_%'"
        names = {row[0] for row in database.execute(named)}
        return {it for it in names if not database.execute(f"SELECT 1 FROM {it}").fetchone()}
