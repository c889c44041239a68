"""A grant is good at every server that shares the store, as long as its turn's attempt runs."""

import asyncio
import base64
import contextlib
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
import pytest_asyncio

from antiphon.context.v1 import context_service_pb2
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER, Part
from antiphon.dispatcher.v1 import dispatcher_service_pb2
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon.integration.v1 import integration_service_pb2 as pb
from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceStub
from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.runtime.access.grants import GrantTokens
from antiphon_server.runtime.rpc.access_recheck import LOOK_S
from tests.access.granted import Turn
from tests.access.people import bearer
from tests.auth.audit_api import end_of
from tests.e2e.callers import Caller, caller, channel_to
from tests.e2e.refusals import reason_of
from tests.e2e.server import ServerProcess, openai_model
from tests.e2e.until import PATIENCE_S, until_it
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.fakes.postgres import Postgres

pytestmark = pytest.mark.asyncio(loop_scope="module")
LEASE_S = 2.0
ENDS_WITHIN_S = 1.0
SLOW = "fake/slow"


@dataclass(frozen=True, slots=True)
class Stage:
    """Two servers; what is posted comes to the first."""

    first: ServerProcess
    here: grpc.aio.Channel
    there: grpc.aio.Channel
    caller: Caller
    tokens: GrantTokens

    def generating(self, channel: grpc.aio.Channel, turn: Turn) -> Any:
        """A long answer of a model, asked for with the turn's grant."""
        asked = pb.PromptMessage(role=MESSAGE_ROLE_USER, parts=[Part(text="hi")])
        workspace_id = self.caller.known["ws"]
        request = pb.GenerateRequest(workspace_id=workspace_id, messages=[asked], models=[SLOW])
        stub: Any = IntegrationServiceStub(channel)
        return stub.Generate(request, metadata=bearer(turn.grant(self.tokens)))

    async def turn_of(self, channel: grpc.aio.Channel, turn: Turn, token: str) -> Any:
        """The turn; where another server has it, the call is passed on."""
        request = dispatcher_service_pb2.GetTurnRequest(
            conversation_id=turn.conversation_id, turn_id=turn.turn_id
        )
        stub = DispatcherServiceStub(channel)
        return (await stub.GetTurn(request, metadata=bearer(token))).turn

    async def read(self, channel: grpc.aio.Channel, turn: Turn, attempt: int = 1) -> str:
        """What comes of a worker's look at the context: "" or a reason."""
        request = context_service_pb2.GetContextRequest(conversation_id=turn.conversation_id)
        metadata = bearer(turn.grant(self.tokens, attempt))
        try:
            await ContextServiceStub(channel).GetContext(request, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            return reason_of(error)
        return ""

    async def attempt(self, turn: Turn) -> int:
        """Which attempt of the turn runs, as the second server knows."""
        attempt: int = (await self.turn_of(self.there, turn, self.caller.token)).attempt
        return attempt


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres
) -> AsyncIterator[Stage]:
    """Two servers on one Postgres, with one secret and a slow model."""
    home, secret = tmp_path_factory.mktemp("elsewhere"), os.urandom(32)
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(secret).decode(),
        "ANTIPHON_LEASE_S": str(LEASE_S),
    }
    async with contextlib.AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(FakeEndpoint(Behaviour(deltas=5000, gap_ms=20)))
        models = [openai_model(SLOW, endpoint.base_url)]
        servers = [ServerProcess(home / it, models=models, variables=variables) for it in "ab"]
        for server in servers:
            await stack.enter_async_context(server)
        here, there = [await stack.enter_async_context(channel_to(it)) for it in servers]
        client = await stack.enter_async_context(servers[0].client())
        known = await caller("operator", client)
        yield Stage(servers[0], here, there, known, GrantTokens(MasterSecret(secret)))


async def test_it_ends_with_its_turn_at_every_server(stage: Stage) -> None:
    """What is being generated at another one, too, within a second; how soon is printed."""
    turn = await Turn.begun(stage.here, stage.caller)
    assert [await stage.read(it, turn) for it in (stage.here, stage.there)] == ["", ""]
    grant = turn.grant(stage.tokens)
    told = [await stage.turn_of(it, turn, grant) for it in (stage.here, stage.there)]
    assert [it.turn_id for it in told] == [turn.turn_id] * 2
    answer = stage.generating(stage.there, turn)
    while not (await answer.read()).HasField("delta"):
        pass
    await turn.stop()
    began = time.monotonic()
    assert await asyncio.wait_for(end_of(answer), PATIENCE_S) == "TOKEN_EXPIRED"
    took = time.monotonic() - began
    print(f"ended {took * 1000:.0f} ms after the turn")
    assert took < ENDS_WITHIN_S
    for channel in (stage.here, stage.there):
        assert await stage.read(channel, turn) == "TOKEN_EXPIRED"


async def test_a_turn_that_goes_on_elsewhere_has_another_grant(stage: Stage) -> None:
    """Its server is killed: the next attempt's grant is good, and the one before no more.

    What was begun by that goes on, at a server that lives, until the turn ends.
    """
    turn = await Turn.begun(stage.here, stage.caller)
    answer = stage.generating(stage.there, turn)
    while not (await answer.read()).HasField("delta"):
        pass
    assert await stage.read(stage.there, turn) == ""
    assert await stage.read(stage.there, turn, 2) == "TOKEN_EXPIRED"
    await stage.first.kill()

    async def goes_on() -> bool:
        return await stage.attempt(turn) == 2

    await until_it(goes_on)
    assert await stage.read(stage.there, turn) == "TOKEN_EXPIRED"
    assert await stage.read(stage.there, turn, 2) == ""
    endless = asyncio.create_task(end_of(answer))
    assert not (await asyncio.wait([endless], timeout=LOOK_S * 4))[0]
    await turn.stop(stage.there)
    assert await asyncio.wait_for(endless, PATIENCE_S) == "TOKEN_EXPIRED"
    assert await stage.read(stage.there, turn, 2) == "TOKEN_EXPIRED"
