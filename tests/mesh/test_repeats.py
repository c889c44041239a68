"""What the edge sends again when an answer is lost, and what it leaves to clients."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon.dispatcher.v1 import dispatcher_service_pb2_grpc as stubs
from antiphon_server.mesh.contracts import contracts
from antiphon_server.mesh.model import Address, Edge
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.interceptors.errors import refuse
from tests.e2e.refusals import reason_of
from tests.e2e.until import SOON_S
from tests.mesh.world import HOST, envoy_before

CONVERSATION = "conv_00000001"
Servicer: Any = stubs.DispatcherServiceServicer


class Forgetful(Servicer):  # type: ignore[misc]
    """Does what it is asked, and loses each answer."""

    def __init__(self) -> None:
        self.done: list[str] = []

    async def Dispatch(self, request: pb.DispatchRequest, context: Any) -> None:
        self.done.append("dispatched")
        await context.abort(grpc.StatusCode.UNAVAILABLE, "the answer is lost")

    async def GetTurn(self, request: pb.GetTurnRequest, context: Any) -> None:
        self.done.append("read")
        await context.abort(grpc.StatusCode.UNAVAILABLE, "the answer is lost")

    async def DecideToolCall(self, request: pb.DecideToolCallRequest, context: Any) -> None:
        self.done.append("screened")
        await refuse(context, DomainError(Reason.FILTER_UNAVAILABLE, filter="f", retry_after=1.0))


@asynccontextmanager
async def dispatcher_before(servicer: Forgetful, folder: Path) -> AsyncGenerator[Any]:
    """A stub of it behind Envoy, which sends nothing again itself."""
    server = grpc.aio.server()
    register: Any = stubs.add_DispatcherServiceServicer_to_server
    register(servicer, server)
    port = server.add_insecure_port(f"{HOST}:0")
    await server.start()
    async with envoy_before(port, Edge(Address(HOST, 0)), folder) as envoy:
        own_retries = [("grpc.enable_retries", 0)]
        async with grpc.aio.insecure_channel(f"{HOST}:{envoy.port}", own_retries) as channel:
            yield stubs.DispatcherServiceStub(channel)
    await server.stop(0)


async def test_a_lost_answer(tmp_path: Path) -> None:
    """Reads are tried again; what would be done twice without an id is not."""
    servicer = Forgetful()
    async with dispatcher_before(servicer, tmp_path) as dispatcher:
        dispatch = pb.DispatchRequest(conversation_id=CONVERSATION)
        await refused(dispatcher.Dispatch(dispatch, timeout=10))
        assert servicer.done == ["dispatched"]
        get = pb.GetTurnRequest(conversation_id=CONVERSATION, turn_id="turn_00000001")
        await refused(dispatcher.GetTurn(get, timeout=10))
    assert servicer.done == ["dispatched", "read", "read", "read"]


async def test_what_a_filter_could_not_look_at(tmp_path: Path) -> None:
    """It is told at once, and not asked again, though the call may be sent twice: each time the
    filter would be waited for, and its screening told of.
    """
    servicer = Forgetful()
    async with dispatcher_before(servicer, tmp_path) as dispatcher:
        decide = pb.DecideToolCallRequest(conversation_id=CONVERSATION, turn_id="turn_00000001")
        error = await refused(dispatcher.DecideToolCall(decide, timeout=10))
    assert servicer.done == ["screened"]
    assert reason_of(error) == "FILTER_UNAVAILABLE"


async def refused(call: Any) -> grpc.aio.AioRpcError:
    """What comes of it."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        async with asyncio.timeout(SOON_S):
            await call
    return error.value


def test_nothing_that_is_known_by_a_request_id_is_repeated() -> None:
    """Not even if clients are told that they may: they may leave the id out."""
    changes = {"PostMessage", "Dispatch", "CreateConversation", "CreateApiKey", "CreateUser"}
    again = {rpc.path.rpartition("/")[2] for rpc in contracts().rpcs if rpc.repeatable}
    assert not again & changes
    assert {"ListMessages", "ReadEvents", "Refresh", "CancelTurn"} <= again
