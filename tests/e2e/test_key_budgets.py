"""Budgets of API keys through whole servers: whose calls they count, whatever their callers say."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from antiphon.events.v1.event_pb2 import TURN_STATE_SUCCEEDED, TurnState
from antiphon.integration.v1 import budget_pb2 as pb
from antiphon.integration.v1 import integration_service_pb2 as integration_pb
from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceStub
from antiphon.integration.v1.spending_pb2 import SPENDING_KEY_API_KEY
from antiphon_client import AntiphonError, ApiKey, Client, Password, TurnResult
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S, until_it
from tests.fakes.postgres import Postgres
from tests.integration.test_servicer import asks

MODEL = {"name": "scripted/echo", "kind": "scripted", "model": "echo"}
ANN = Password("ann", "a long sentence of ann")
ENOUGH = 1000
LONG = " ".join(["word"] * 100)


class Account:
    """A person who is signed in by password, with a workspace, and API keys."""

    def __init__(self, server: ServerProcess, client: Client, workspace: str) -> None:
        self.server, self.client, self.workspace = server, client, workspace

    async def key(self, maker: Client | None = None) -> tuple[str, ApiKey]:
        """A new key's id and secret."""
        made = await (maker or self.client).new_api_key("it")
        return made.api_key.key_id, ApiKey(made.secret)

    async def limit(self, calls: int, *keys: str) -> None:
        """Limit these keys, each by a budget of its own; without any, each key there is."""
        for key in keys or ("",):
            budget = pb.Budget(
                name=f"of-{key.lower()}" if key else "each",
                limit=pb.BudgetLimit(calls=calls),
                scope=pb.BUDGET_SCOPE_API_KEY,
                subject=key,
                window=pb.BUDGET_WINDOW_ONCE,
            )
            await self.client.put_budget(self.workspace, budget)

    async def used(self) -> dict[str, int]:
        """By key, what its calls have taken of budgets."""
        found = [it async for it in self.client.list_budgets(self.workspace)]
        return {it.subject: it.spent + it.reserved for each in found for it in each.states}


@asynccontextmanager
async def _account(server: ServerProcess) -> AsyncIterator[Account]:
    async with server.client() as operator:
        await operator.create_user(ANN.name, ANN.password)
    async with Client.connect(server.address, ANN, deadline=PATIENCE_S) as client:
        await client.create_conversation()
        (workspace,) = [it.workspace_id async for it in client.list_workspaces()]
        yield Account(server, client, workspace)


@asynccontextmanager
async def _served(home: Path) -> AsyncIterator[Account]:
    server = ServerProcess(home, models=[MODEL])
    async with all_of([server]), _account(server) as account:
        yield account


async def _asked(client: Client, conversation: str, times: int = 1) -> list[str]:
    """The reasons why turns failed; "" of those that did not."""
    async with client.converse(conversation) as talk:
        results = [await (await talk.post("hello")).result() for _ in range(times)]
    return [_reason(it) for it in results]


def _reason(result: TurnResult) -> str:
    return result.error.reason if result.error is not None else ""


async def test_a_key_is_limited_and_its_owner_is_not(tmp_path: Path) -> None:
    """Nor are other keys of the same person; the refusal and what was spent say which key."""
    async with _served(tmp_path) as account:
        (ours, secret), (other, another) = await account.key(), await account.key()
        await account.limit(2, ours)
        where = (await account.client.create_conversation()).conversation_id
        async with account.server.client(secret) as limited:
            assert await _asked(limited, where, 3) == ["", "", "BUDGET_EXCEEDED"]
            async with limited.converse(where) as talk:
                error = (await (await talk.post("hello")).result()).error
            assert error is not None
            told = [error.metadata[it] for it in ("scope", "subject", "limit", "spent")]
            assert told == ["API_KEY", ours, "2", "2"]
            with pytest.raises(AntiphonError) as refused:
                await limited.call_tool(account.workspace, "antiphon.time")
            assert refused.value.reason == "BUDGET_EXCEEDED"
        async with account.server.client(another) as free:
            assert await _asked(free, where) == [""]
        assert await _asked(account.client, where) == [""]
        groups = account.client.spending(account.workspace, [SPENDING_KEY_API_KEY])
        assert {it.api_key_id: it.calls async for it in groups} == {"": 1, ours: 2, other: 1}


async def test_nobody_charges_another_key_or_none(tmp_path: Path) -> None:
    """What a request says of keys is read of services alone."""
    async with _served(tmp_path) as account:
        (ours, secret), (other, _) = await account.key(), await account.key()
        await account.limit(ENOUGH, ours, other)
        async with account.server.client(secret) as limited:
            for said in ([], [other], [other, ours]):
                await _generate(limited, account.workspace, said)
        assert await account.used() == {ours: 3}
        await _generate(account.client, account.workspace, [other])
        assert await account.used() == {ours: 3}


async def _generate(client: Client, workspace: str, keys: Sequence[str]) -> None:
    request = integration_pb.GenerateRequest(
        workspace_id=workspace, messages=asks(text="hello"), api_keys=keys
    )
    metadata = [("authorization", f"Bearer {await client.tokens.get()}")]
    stub = IntegrationServiceStub(client.channel)
    async for _ in stub.Generate(request, metadata=metadata, timeout=PATIENCE_S):
        pass


async def test_a_key_that_it_makes_is_no_way_out(tmp_path: Path) -> None:
    """Its calls are its maker's: by that one's budget, and where each key has a sum."""
    async with _served(tmp_path) as account:
        ours, secret = await account.key()
        await account.limit(1, ours)
        where = (await account.client.create_conversation()).conversation_id
        async with account.server.client(secret) as limited:
            _, child = await account.key(limited)
            async with account.server.client(child) as way_out:
                assert await _asked(way_out, where) == [""]
                assert await _asked(limited, where) == ["BUDGET_EXCEEDED"]
                await account.client.delete_budget(account.workspace, f"of-{ours.lower()}")
                await account.limit(1)
                assert await _asked(limited, where) == [""]
                assert await _asked(way_out, where) == ["BUDGET_EXCEEDED"]


async def test_another_server_charges_the_key_that_asked(
    postgres: Postgres, tmp_path: Path
) -> None:
    """A turn that waits when its server is killed is the key's where it is taken over."""
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
    }
    slow = {**MODEL, "script": {"gap_ms": 100}}
    first, second = (
        ServerProcess(tmp_path / it, models=[slow], variables=variables) for it in "ab"
    )
    async with (
        all_of([first, second]),
        _account(first) as account,
        Client.connect(second.address, ANN, deadline=PATIENCE_S) as elsewhere,
    ):
        ours, secret = await account.key()
        await account.limit(ENOUGH, ours)
        where = (await account.client.create_conversation()).conversation_id
        async with first.client(secret) as limited:
            await limited.dispatch(where, LONG)
            waiting = (await limited.dispatch(where, "hello")).turn.turn_id
        await until_it(account.used)
        await until_it(lambda: _speaks(elsewhere, where))  # a model that was never asked is free
        account.client = elsewhere
        await first.kill()
        assert await _state(elsewhere, where, waiting) == TURN_STATE_SUCCEEDED
        assert await account.used() == {ours: 2}


async def _state(client: Client, conversation: str, turn_id: str) -> TurnState.ValueType:
    """How the turn ends."""
    events = aiter(client.follow(f"conversations/{conversation}", earliest=True))
    async with asyncio.timeout(PATIENCE_S), aclosing(events):
        async for event in events:
            if event.HasField("turn_finished") and event.turn_id == turn_id:
                return event.turn_finished.state
    raise AssertionError("the log has ended")


async def _speaks(client: Client, conversation: str) -> bool:
    """Whether anything of an answer is in the log."""
    events = (await client.read_events(f"conversations/{conversation}")).events
    return any(it.HasField("text_delta_appended") for it in events)
