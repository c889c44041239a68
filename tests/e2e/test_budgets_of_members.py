"""What members of a workspace are told of budgets: their own standing, and no sums of all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from antiphon.integration.v1 import budget_pb2 as pb
from antiphon_client import AntiphonError, Client, Password
from antiphon_client.budgets import INSTALLATION
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess

PASSWORD = "correct horse battery staple"
PRICES = {"input_price_micros": 1_000_000, "output_price_micros": 1_000_000}
MODEL = {"name": "scripted/dear", "kind": "scripted", **PRICES}


@asynccontextmanager
async def _two(home: Path) -> AsyncIterator[tuple[Client, Client, str]]:
    """An operator, a member of their workspace, and that."""
    server = ServerProcess(home, models=[MODEL])
    async with all_of([server]), server.client() as boss:
        await boss.create_conversation()
        (workspace,) = [it.workspace_id async for it in boss.list_workspaces()]
        ann = await boss.create_user("ann", PASSWORD)
        await boss.add_member(workspace, ann.user_id, "member")
        async with Client.connect(server.address, Password("ann", PASSWORD)) as client:
            yield boss, client, workspace


def _budget(name: str, scope: pb.BudgetScope.ValueType, calls: int = 9) -> pb.Budget:
    limit = pb.BudgetLimit(calls=calls)
    return pb.Budget(name=name, limit=limit, scope=scope, window=pb.BUDGET_WINDOW_ONCE)


async def _asked(client: Client, workspace: str) -> tuple[str, str]:
    """Ask in a conversation of their own; its id, and the error if there is no answer."""
    conversation = (await client.create_conversation(workspace_id=workspace)).conversation_id
    async with client.converse(conversation) as talk:
        failure = (await (await talk.post("hello")).result()).error
    return conversation, str(failure.metadata) if failure is not None else ""


async def _left(client: Client, workspace: str, subject: str) -> dict[str, int]:
    uses = [it async for it in client.list_budgets(workspace, subject)]
    assert {state.subject for it in uses for state in it.states} == {subject}
    return {it.budget.name: it.states[0].left for it in uses}


async def _refusal(client: Client, workspace: str, subject: str) -> str:
    with pytest.raises(AntiphonError) as refused:
        await _left(client, workspace, subject)
    return refused.value.reason


async def test_members_are_told_what_is_left_to_them(tmp_path: Path) -> None:
    """Also in conversations that they read; of others those who manage the workspace."""
    async with _two(tmp_path) as (boss, ann, workspace):
        for scope in (
            pb.BUDGET_SCOPE_USER,
            pb.BUDGET_SCOPE_CONVERSATION,
            pb.BUDGET_SCOPE_WORKSPACE,
        ):
            name = pb.BudgetScope.Name(scope).removeprefix("BUDGET_SCOPE_").lower()
            await boss.put_budget(workspace, _budget(name, scope))
        me, other = [(await it.who_am_i()).user.user_id for it in (ann, boss)]
        assert await _left(ann, workspace, me) == {"user": 9}
        mine, _ = await _asked(ann, workspace)
        theirs, _ = await _asked(boss, workspace)
        assert await _left(ann, workspace, me) == {"user": 8}
        assert await _left(ann, workspace, mine) == {"conversation": 8}
        assert await _refusal(ann, workspace, other) == "PERMISSION_DENIED"
        assert await _refusal(ann, workspace, theirs) == "NOT_FOUND"
        assert await _left(boss, workspace, me) == {"user": 8}


async def test_whom_the_installation_refuses_is_told_no_sums(tmp_path: Path) -> None:
    """Its budget's name, and when to try again."""
    async with _two(tmp_path) as (boss, ann, workspace):
        await boss.put_budget(INSTALLATION, _budget("all", pb.BUDGET_SCOPE_INSTALLATION, 1))
        await _asked(boss, workspace)
        _, refused = await _asked(ann, workspace)
        assert "'budget': 'all'" in refused
        assert not any(told in refused for told in ("limit", "spent", "reserved", "needed"))
