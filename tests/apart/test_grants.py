"""A turn's grant is good at every service, each of which asks the dispatcher of the turn."""

import base64
from typing import Any

import grpc
import pytest

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER, Part
from antiphon.integration.v1 import integration_service_pb2 as pb
from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceStub
from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.runtime.access.grants import GrantTokens
from tests.access.granted import Turn
from tests.access.people import bearer
from tests.access.reading import FOR_GRANTS
from tests.access.rpcs import served_rpcs, short_name
from tests.apart.installation import Installation
from tests.e2e.callers import Caller, caller
from tests.e2e.contracts import Rpc
from tests.e2e.refusals import reason_of
from tests.e2e.smallest import smallest

pytestmark = pytest.mark.asyncio(loop_scope="module")
OF_GRANTS = [rpc for rpc in served_rpcs() if short_name(rpc) in FOR_GRANTS]
# The smallest requests name no such tool, no message that a memory is of, and no memory.
OPENED = {"", "TOOL_NOT_FOUND", "INVALID_ARGUMENT", "NOT_FOUND"}


async def answers(channel: grpc.aio.Channel, about: Caller, token: str) -> set[str]:
    """What comes of all that a grant opens, about somebody's things: "" or a reason."""
    return {await came(channel, rpc, about, token) for rpc in OF_GRANTS}


async def came(channel: grpc.aio.Channel, rpc: Rpc, about: Caller, token: str) -> str:
    request = smallest(rpc.request_type, about.known, rpc.access.resource_field)
    try:
        await rpc.call(channel, request, token)
    except grpc.aio.AioRpcError as error:
        return reason_of(error)
    return ""


async def test_a_grant_is_good_at_every_service_while_its_turn_runs(apart: Installation) -> None:
    """At each for what is there; nowhere when the turn has ended, or for what is another's."""
    tokens = GrantTokens(MasterSecret(base64.b64decode(apart.secret.reveal())))
    async with apart.client() as client:
        here, other = await caller("here", client), await caller("other", client)
        turn = await Turn.begun(client.channel, here)
        grant = turn.grant(tokens)
        assert await answers(client.channel, here, grant) == OPENED
        elsewhere = {await came(client.channel, rpc, other, grant) for rpc in of_conversations()}
        assert elsewhere == {"NOT_FOUND"}
        await turn.stop()
        assert await answers(client.channel, here, grant) == {"TOKEN_EXPIRED"}


def of_conversations() -> list[Rpc]:
    """Both conversations are in one workspace."""
    return [rpc for rpc in OF_GRANTS if rpc.access.resource_field not in ("", "workspace_id")]


async def test_what_it_has_generated_is_booked_on_its_turn(apart: Installation) -> None:
    """Though the service that asks the model has never seen the turn."""
    tokens = GrantTokens(MasterSecret(base64.b64decode(apart.secret.reveal())))
    async with apart.client() as client:
        here = await caller("here", client)
        turn = await Turn.begun(client.channel, here)
        stub: Any = IntegrationServiceStub(client.channel)
        asked = pb.PromptMessage(role=MESSAGE_ROLE_USER, parts=[Part(text="hi")])
        request = pb.GenerateRequest(workspace_id=here.known["ws"], messages=[asked])
        async for _ in stub.Generate(request, metadata=bearer(turn.grant(tokens))):
            pass
        usage = pb.GetUsageRequest(workspace_id=here.known["ws"], turn_id=turn.turn_id)
        (call,) = (await stub.GetUsage(usage, metadata=here.metadata)).calls
        assert call.conversation_id == turn.conversation_id
        await turn.stop()


async def test_without_the_dispatcher_no_grant_is_good(apart: Installation) -> None:
    """Nobody else knows which turns run; what is refused may be tried again."""
    tokens = GrantTokens(MasterSecret(base64.b64decode(apart.secret.reveal())))
    async with apart.client() as client:
        here = await caller("here", client)
        turn = await Turn.begun(client.channel, here)
        read = next(rpc for rpc in OF_GRANTS if rpc.method.name == "GetContext")
        await apart.stop("dispatcher")
        assert await came(client.channel, read, here, turn.grant(tokens)) == "SERVICE_UNAVAILABLE"
        await apart.start("dispatcher")
        await apart.connected()
        await turn.stop()
