"""Which conversation pays for what a user has a model asked: one where they may ask themselves."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio

from antiphon.auth.v1 import access_pb2
from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER, Part
from antiphon.integration.v1 import integration_service_pb2 as pb
from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceStub
from tests.access.bea import Bea
from tests.access.people import bearer, sign_in
from tests.e2e.callers import Caller, channel_to, user
from tests.e2e.refusals import reason_of, refused
from tests.e2e.server import ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")
TURN = "turn_00000001"


class Stage:
    """A server with bea, the owner of her workspace, and a stranger with another one."""

    def __init__(self, channel: grpc.aio.Channel, bea: Bea, stranger: Caller) -> None:
        self.bea, self.stranger, self.channel = bea, stranger, channel
        self.integration: Any = IntegrationServiceStub(channel)

    async def ask(self, *, conversation_id: str = "", turn_id: str = "") -> str:
        """What bea is refused with, who has her owner's workspace pay; "" if she is answered."""
        asked = pb.PromptMessage(role=MESSAGE_ROLE_USER, parts=[Part(text="hi")])
        request = pb.GenerateRequest(
            workspace_id=self.bea.owner.known["ws"],
            messages=[asked],
            conversation_id=conversation_id,
            turn_id=turn_id,
        )
        metadata = bearer(await sign_in(self.channel, "bea"))
        call = self.integration.Generate(request, metadata=metadata)
        try:
            while await call.read() is not grpc.aio.EOF:
                pass
        except grpc.aio.AioRpcError as error:
            return reason_of(error)
        return ""

    async def calls(self) -> list[tuple[str, str]]:
        """The conversations and turns of the ledger's calls."""
        request = pb.GetUsageRequest(workspace_id=self.bea.owner.known["ws"])
        page = await self.integration.GetUsage(request, metadata=self.bea.owner.metadata)
        return [(it.conversation_id, it.turn_id) for it in page.calls]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """On a server of its own; bea writes in the workspace."""
    async with contextlib.AsyncExitStack() as stack:
        server = ServerProcess(tmp_path_factory.mktemp("paying"), model="scripted/test")
        await stack.enter_async_context(server)
        channel = await stack.enter_async_context(channel_to(server))
        bea = await Bea.of(server, channel)
        await bea.is_given("ws", access_pb2.ROLE_MEMBER)
        yield Stage(channel, bea, await user(server, "stranger"))


@pytest.mark.parametrize(
    ("role", "why"),
    [
        (access_pb2.ROLE_UNSPECIFIED, "NOT_FOUND"),
        (access_pb2.ROLE_VIEWER, "PERMISSION_DENIED"),
        (access_pb2.ROLE_MEMBER, ""),
    ],
)
async def test_a_conversation_of_others_does_not_pay(
    stage: Stage, role: access_pb2.Role.ValueType, why: str
) -> None:
    """That somebody else talks in the same workspace is no reason to use up their budget."""
    await stage.bea.loses("conv")
    if role:
        await stage.bea.is_given("conv", role)
    conversation = stage.bea.owner.known["conv"]
    before = await stage.calls()
    assert await stage.ask(conversation_id=conversation) == why
    new = [] if why else [(conversation, "")]
    assert await stage.calls() == new + before


async def test_a_conversation_of_another_workspace_does_not_pay(stage: Stage) -> None:
    """A workspace's calls are its own conversations', also those of one who writes in both."""
    other = stage.stranger.known["conv"]
    bea = Bea(stage.channel, stage.stranger, stage.bea.user_id)
    assert await stage.ask(conversation_id=other) == "NOT_FOUND"
    await bea.is_given("conv", access_pb2.ROLE_MEMBER)
    assert await stage.ask(conversation_id=other) == "INVALID_ARGUMENT"
    assert await stage.ask(conversation_id="conv_nobody-has-it") == "NOT_FOUND"


async def test_users_name_no_turn(stage: Stage) -> None:
    """Turns are what the installation runs: one that is made up has a budget of its own."""
    assert await stage.ask(turn_id=TURN) == "INVALID_ARGUMENT"


@pytest.mark.parametrize("odd", ["conv_\0", "=cmd|'/C calc'!A0", "conv_x", "turn_00000001"])
async def test_what_is_no_id_is_refused(stage: Stage, odd: str) -> None:
    """It would stand in ledgers and tables of others."""
    assert await stage.ask(conversation_id=odd) == "INVALID_ARGUMENT"
    assert await stage.ask(turn_id=f"turn_{odd}") == "INVALID_ARGUMENT"
    workspace_id = stage.bea.owner.known["ws"]
    for request in (
        pb.GetUsageRequest(workspace_id=workspace_id, conversation_id=f"x{odd}"),
        pb.GetUsageRequest(workspace_id=workspace_id, turn_id=f"x{odd}"),
    ):
        call = stage.integration.GetUsage(request, metadata=stage.bea.owner.metadata)
        assert await refused(call) == "INVALID_ARGUMENT"
