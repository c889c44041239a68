"""Turns that turns ask for spend what their conversation and their user have, together."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from antiphon.events.v1 import event_pb2
from antiphon.integration.v1 import budget_pb2 as pb
from antiphon.integration.v1.model_pb2 import Money
from antiphon_client import Client
from tests.e2e.server import ServerProcess
from tests.workers.counting import ended
from tests.workers.processes import WorkerProcess, invited

SPENDER = (sys.executable, "-m", "tests.workers.spender")
PRICES = {"input_price_micros": 1_000_000, "output_price_micros": 100_000_000}
MODEL = {"name": "scripted/echo", "kind": "scripted", "max_output_tokens": 8, **PRICES}
TREE, CALLS = "3 4", 1 + 3 + 12
LIMIT = 3_000
"""In millionths of a dollar: a first call fits, and not all that they make."""


@asynccontextmanager
async def _served(home: Path) -> AsyncIterator[tuple[Client, str]]:
    """A client of a server that has such a worker, and their workspace."""
    async with ServerProcess(home, models=[MODEL]) as server, server.client() as client:
        await client.create_conversation()
        (workspace,) = [it.workspace_id async for it in client.list_workspaces()]
        key = await invited(server, "spender")
        async with WorkerProcess(server.address, key, home / "worker.log", SPENDER):
            yield client, workspace


async def _grown(client: Client) -> Counter[str]:
    """How often a tree in a conversation of its own was told what, by its root."""
    conversation = (await client.create_conversation()).conversation_id
    asked = (await client.dispatch(conversation, TREE, handler="spender")).turn
    assert (await ended(client, asked)).state == event_pb2.TURN_STATE_SUCCEEDED
    messages = [it async for it in client.list_messages(conversation)]
    (answer,) = [it for it in messages if it.author == "handlers/spender" and not it.aside]
    return Counter(answer.parts[0].text.split())


async def _limit(
    client: Client, workspace: str, limit: pb.BudgetLimit, scope: pb.BudgetScope.ValueType
) -> None:
    window = pb.BUDGET_WINDOW_ONCE
    await client.put_budget(
        workspace, pb.Budget(name="tree", limit=limit, scope=scope, window=window)
    )


async def _states(client: Client, workspace: str) -> list[pb.BudgetState]:
    (use,) = [it async for it in client.list_budgets(workspace)]
    return list(use.states)


async def test_a_tree_has_one_share_of_its_conversation(tmp_path: Path) -> None:
    """So many calls of its turns are made; each other one is refused, and its parent told why."""
    async with _served(tmp_path) as (client, workspace):
        limit = pb.BudgetLimit(calls=7)
        await _limit(client, workspace, limit, pb.BUDGET_SCOPE_CONVERSATION)
        for _ in range(2):
            told = await _grown(client)
            assert told == {"paid": 7, "BUDGET_EXCEEDED": CALLS - 7}
        states = await _states(client, workspace)
        assert [(it.spent, it.reserved) for it in states] == [(7, 0)] * 2


async def test_trees_of_a_user_do_not_overspend_together(tmp_path: Path) -> None:
    """Two race for money: what was spent is the ledger's sum, and no more than there was."""
    async with _served(tmp_path) as (client, workspace):
        limit = pb.BudgetLimit(money=Money(currency="USD", micros=LIMIT))
        await _limit(client, workspace, limit, pb.BUDGET_SCOPE_USER)
        both = await asyncio.gather(_grown(client), _grown(client))
        told = both[0] + both[1]
        print(told)
        assert set(told) == {"paid", "BUDGET_EXCEEDED"}
        assert told.total() == 2 * CALLS
        (state,) = await _states(client, workspace)
        (spent,) = [it async for it in client.spending(workspace)]
        assert 0 < state.spent <= LIMIT
        assert (state.reserved, state.spent) == (0, spent.costs[0].micros)
        assert told["paid"] == spent.calls
