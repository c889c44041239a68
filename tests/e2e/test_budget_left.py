"""Workers are told with a turn what is left to its calls of models."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from antiphon.integration.v1 import budget_pb2 as pb
from antiphon.integration.v1.model_pb2 import Money
from antiphon_client import Client
from antiphon_client.budgets import INSTALLATION
from tests.e2e.server import ServerProcess
from tests.workers.counting import ended
from tests.workers.processes import WorkerProcess, invited

THRIFTY = (sys.executable, "-m", "tests.workers.thrifty")
PRICES = {"input_price_micros": 1_000_000, "output_price_micros": 1_000_000}
MODEL = {"name": "scripted/dear", "kind": "scripted", **PRICES}
TURN, USER = pb.BUDGET_SCOPE_TURN, pb.BUDGET_SCOPE_USER
CONVERSATION, INSTALLED = pb.BUDGET_SCOPE_CONVERSATION, pb.BUDGET_SCOPE_INSTALLATION
ONCE, MONTH = pb.BUDGET_WINDOW_ONCE, pb.BUDGET_WINDOW_MONTH


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """Of a server that has such a worker."""
    async with ServerProcess(tmp_path, models=[MODEL]) as server, server.client() as client:
        key = await invited(server, "thrifty")
        async with WorkerProcess(server.address, key, tmp_path / "worker.log", THRIFTY):
            yield client
        assert server.defects == []


async def _told(client: Client, conversation: str) -> str:
    """What a new turn was told that is left."""
    turn = (await client.dispatch(conversation, "how much?", handler="thrifty")).turn
    turn_id = (await ended(client, turn)).turn_id
    messages = [it async for it in client.list_messages(conversation)]
    (said,) = [it for it in messages if it.author == "handlers/thrifty" and it.turn_id == turn_id]
    return str(said.parts[0].text)


def _budget(
    name: str,
    limit: pb.BudgetLimit,
    scope: pb.BudgetScope.ValueType,
    window: pb.BudgetWindow.ValueType = ONCE,
) -> pb.Budget:
    return pb.Budget(name=name, limit=limit, scope=scope, window=window)


async def test_a_worker_knows_what_is_left(client: Client) -> None:
    """Of each unit the least, as it is by then, and of the installation's budgets nothing."""
    conversation = (await client.create_conversation()).conversation_id
    (workspace,) = [it.workspace_id async for it in client.list_workspaces()]
    assert await _told(client, conversation) == "no limit"
    cent = pb.BudgetLimit(money=Money(currency="USD", micros=10_000))
    await client.put_budget(INSTALLATION, _budget("all", cent, INSTALLED))
    assert await _told(client, conversation) == "no limit"
    dollar = pb.BudgetLimit(money=Money(currency="USD", micros=1_000_000))
    await client.put_budget(workspace, _budget("dear", dollar, USER, MONTH))
    await client.put_budget(workspace, _budget("turn", pb.BudgetLimit(calls=9), TURN))
    await client.put_budget(workspace, _budget("talk", pb.BudgetLimit(calls=5), CONVERSATION))
    assert await _told(client, conversation) == "USD 1.000000 for now, calls 5"
    async with client.converse(conversation) as talk:
        assert (await (await talk.post("hello")).result()).error is None
    (spent,) = [it async for it in client.spending(workspace)]
    left = f"0.{1_000_000 - spent.costs[0].micros:06}"
    assert await _told(client, conversation) == f"USD {left} for now, calls 4"
    other = (await client.create_conversation()).conversation_id
    assert await _told(client, other) == f"USD {left} for now, calls 5"
