"""Budgets through a whole server: who is limited, and who hears of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path

from antiphon.events.v1.event_pb2 import BudgetWarned
from antiphon.integration.v1 import budget_pb2 as pb
from antiphon.integration.v1.model_pb2 import Money
from antiphon_client import Client
from antiphon_client.budgets import INSTALLATION
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S, until_it

PRICES = {"input_price_micros": 1_000_000, "output_price_micros": 1_000_000}
MODEL = {"name": "scripted/dear", "kind": "scripted", **PRICES}


@asynccontextmanager
async def _served(home: Path) -> AsyncIterator[tuple[Client, str]]:
    """A client of a server's operator, and their workspace."""
    server = ServerProcess(home, models=[MODEL])
    async with all_of([server]), server.client() as client:
        await client.create_conversation()
        (workspace,) = [it.workspace_id async for it in client.list_workspaces()]
        yield client, workspace


def _budget(name: str, limit: pb.BudgetLimit, scope: pb.BudgetScope.ValueType) -> pb.Budget:
    return pb.Budget(name=name, limit=limit, scope=scope, window=pb.BUDGET_WINDOW_ONCE)


async def _answer(client: Client, conversation: str) -> str:
    """Ask; the error's reason if there is none."""
    async with client.converse(conversation) as talk:
        failure = (await (await talk.post("hello")).result()).error
    return failure.reason if failure is not None else ""


async def _warned(client: Client, workspace: str) -> BudgetWarned:
    events = aiter(client.follow(f"workspaces/{workspace}", earliest=True))
    async with asyncio.timeout(PATIENCE_S), aclosing(events):
        async for event in events:
            if event.HasField("budget_warned"):
                return event.budget_warned
    raise AssertionError("the log has ended")


async def test_a_conversation_has_its_share_and_others_theirs(tmp_path: Path) -> None:
    """Two calls each; the third is refused with what is left, in its turn."""
    async with _served(tmp_path) as (client, workspace):
        limit = pb.BudgetLimit(calls=2)
        await client.put_budget(workspace, _budget("each", limit, pb.BUDGET_SCOPE_CONVERSATION))
        for _ in range(2):
            conversation = (await client.create_conversation()).conversation_id
            told = [await _answer(client, conversation) for _ in range(3)]
            assert told == ["", "", "BUDGET_EXCEEDED"]
        (use,) = [it async for it in client.list_budgets(workspace)]
        assert {it.spent for it in use.states} == {2}


async def test_little_left_is_told_in_the_log_of_the_workspace(tmp_path: Path) -> None:
    """With what the window has; an installation's budget is told to nobody there."""
    async with _served(tmp_path) as (client, workspace):
        money = pb.BudgetLimit(money=Money(currency="USD", micros=10_000))
        await client.put_budget(INSTALLATION, _budget("all", money, pb.BUDGET_SCOPE_INSTALLATION))
        await client.put_budget(workspace, _budget("ours", money, pb.BUDGET_SCOPE_USER))
        conversation = (await client.create_conversation()).conversation_id
        while not await _answer(client, conversation):
            pass
        warned = await _warned(client, workspace)
        assert (warned.budget.name, warned.state.subject[:5]) == ("ours", "user_")
        assert warned.state.spent + warned.state.reserved >= 8_000
        (use,) = [it async for it in client.list_budgets(INSTALLATION)]
        (state,) = use.states
        assert 0 < state.spent <= 10_000
        assert (state.reserved, state.left) == (0, 10_000 - state.spent)


async def test_it_outlives_the_server(tmp_path: Path) -> None:
    """What was spent before counts, and what a killed server had reserved is free again."""
    server = ServerProcess(tmp_path, models=[{**MODEL, "script": {"deltas": 200, "gap_ms": 50}}])
    limit = pb.BudgetLimit(money=Money(currency="USD", micros=10_000))
    async with all_of([server]), server.client() as client:
        conversation = (await client.create_conversation()).conversation_id
        (workspace,) = [it.workspace_id async for it in client.list_workspaces()]
        await client.put_budget(workspace, _budget("ours", limit, pb.BUDGET_SCOPE_WORKSPACE))
        await client.dispatch(conversation, "hello")
        await until_it(partial(_reserved, client, workspace))
        await server.kill()
        await server.start()
        (use,) = [it async for it in client.list_budgets(workspace)]
        (state,) = use.states
        assert state.spent > 0, "what was sent to the model before"
        assert (state.reserved, state.left) == (0, 10_000 - state.spent)


async def _reserved(client: Client, workspace: str) -> int:
    (use,) = [it async for it in client.list_budgets(workspace)]
    return sum(it.reserved for it in use.states)
