"""A server is killed under an answer: its call is booked with the prompt and what had come."""

import base64
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_ASSISTANT
from antiphon.events.v1.event_pb2 import TURN_STATE_FAILED
from antiphon.integration.v1 import budget_pb2 as pb
from antiphon.integration.v1.model_pb2 import Money
from antiphon.integration.v1.spending_pb2 import Spending
from antiphon_client import Client
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess, openai_model
from tests.e2e.until import until_it
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.fakes.postgres import Postgres

PRICES = {"input_price_micros": 3_000_000, "output_price_micros": 7_000_000}
"""Three millionths of a dollar a token read, seven a token said."""
LONG = Behaviour(deltas=2000, gap_ms=5)
SAID = 40
"""Bytes that have come, at least, when the server is killed."""
LEASE_S = 2.0
BUDGET = pb.Budget(
    name="ours",
    limit=pb.BudgetLimit(money=Money(currency="USD", micros=1_000_000)),
    scope=pb.BUDGET_SCOPE_WORKSPACE,
    window=pb.BUDGET_WINDOW_ONCE,
)


@dataclass
class Stage:
    """A server to be killed, the one that is there after it, and who asks both."""

    first: ServerProcess
    second: ServerProcess

    async def go_on(self) -> None:
        """Kill the first; where that is the only one it is started again."""
        await self.first.kill()
        if self.second is self.first:
            await self.first.start()


@asynccontextmanager
async def _stage(home: Path, variables: dict[str, str], names: str) -> AsyncIterator[Stage]:
    async with FakeEndpoint() as endpoint:
        endpoint.plan.append(LONG)
        models = [openai_model("fake/dear", endpoint.base_url, **PRICES)]
        servers = [ServerProcess(home / it, models=models, variables=variables) for it in names]
        async with all_of(servers):
            yield Stage(servers[0], servers[-1])


@pytest.fixture(params=["sqlite", "postgres"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    """One on SQLite, which starts again, or two on Postgres."""
    async with AsyncExitStack() as held:
        if request.param == "sqlite":
            yield await held.enter_async_context(_stage(tmp_path, {}, "a"))
            return
        postgres: Postgres = request.getfixturevalue("postgres")
        variables = {
            "ANTIPHON_DATABASE_URL": await postgres.database(),
            "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
            "ANTIPHON_LEASE_S": str(LEASE_S),
        }
        yield await held.enter_async_context(_stage(tmp_path, variables, "ab"))


async def _text(client: Client, conversation: str) -> str:
    """The answer, as far as the log has it."""
    every = [it async for it in client.list_messages(conversation)]
    answers = [it for it in every if it.role == MESSAGE_ROLE_ASSISTANT]
    return "".join(part.text for it in answers for part in it.parts)


async def _state(client: Client, workspace: str) -> pb.BudgetState:
    (use,) = [it async for it in client.list_budgets(workspace)]
    return use.states[0] if use.states else pb.BudgetState()


async def _is_free(client: Client, workspace: str) -> bool:
    return not (await _state(client, workspace)).reserved


async def _spent(client: Client, workspace: str) -> Spending:
    (group,) = [it async for it in client.spending(workspace)]
    return group


async def test_what_had_come_of_an_answer_is_booked(stage: Stage) -> None:
    """By the estimate, at the model's prices, in the ledger and in the budget alike."""
    async with stage.first.client() as client:
        conversation = (await client.create_conversation()).conversation_id
        (workspace,) = [it.workspace_id async for it in client.list_workspaces()]
        await client.put_budget(workspace, BUDGET)
        turn = await client.dispatch(conversation, "tell me a lot")
        said = 0
        async for event in client.follow(f"conversations/{conversation}", earliest=True):
            said += len(event.text_delta_appended.text)
            if said > SAID:
                break
        await stage.go_on()
    async with stage.second.client() as client:
        await until_it(partial(_has_ended, client, conversation, turn.turn.turn_id))
        await until_it(partial(_is_free, client, workspace))
        spent, state = await _spent(client, workspace), await _state(client, workspace)
        text = await _text(client, conversation)
        usage = spent.usage
        print(f"{len(text)} bytes had come: {usage.output_tokens} tokens, {state.spent} millionths")
        assert len(text) > SAID
        assert (spent.calls, spent.open_calls, usage.estimated) == (1, 0, True)
        assert usage.input_tokens > 0
        assert usage.output_tokens == -(-len(text) // 4)
        assert usage.cost.micros == 3 * usage.input_tokens + 7 * usage.output_tokens
        assert state.spent == usage.cost.micros


async def _has_ended(client: Client, conversation: str, turn_id: str) -> bool:
    turn = await client.get_turn(conversation, turn_id)
    return turn.state == TURN_STATE_FAILED
