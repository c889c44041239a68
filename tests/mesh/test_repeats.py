"""What the edge sends again when an answer is lost, and what it leaves to clients."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest

from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon.dispatcher.v1 import dispatcher_service_pb2_grpc as stubs
from antiphon_server.mesh.contracts import contracts
from antiphon_server.mesh.model import Address, Edge
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


async def test_a_lost_answer(tmp_path: Path) -> None:
    """Reads are tried again; what would be done twice without an id is not."""
    server, servicer = grpc.aio.server(), Forgetful()
    register: Any = stubs.add_DispatcherServiceServicer_to_server
    register(servicer, server)
    port = server.add_insecure_port(f"{HOST}:0")
    await server.start()
    async with envoy_before(port, Edge(Address(HOST, 0)), tmp_path) as envoy:
        own_retries = [("grpc.enable_retries", 0)]
        async with grpc.aio.insecure_channel(f"{HOST}:{envoy.port}", own_retries) as channel:
            dispatcher: Any = stubs.DispatcherServiceStub(channel)
            dispatch = pb.DispatchRequest(conversation_id=CONVERSATION)
            await refused(dispatcher.Dispatch(dispatch, timeout=10))
            assert servicer.done == ["dispatched"]
            get = pb.GetTurnRequest(conversation_id=CONVERSATION, turn_id="turn_00000001")
            await refused(dispatcher.GetTurn(get, timeout=10))
    await server.stop(0)
    assert servicer.done == ["dispatched", "read", "read", "read"]


async def refused(call: Any) -> None:
    """What comes of a lost answer."""
    with pytest.raises(grpc.aio.AioRpcError):
        async with asyncio.timeout(SOON_S):
            await call


def test_nothing_that_is_known_by_a_request_id_is_repeated() -> None:
    """Not even if clients are told that they may: they may leave the id out."""
    changes = {"PostMessage", "Dispatch", "CreateConversation", "CreateApiKey", "CreateUser"}
    again = {rpc.path.rpartition("/")[2] for rpc in contracts().rpcs if rpc.repeatable}
    assert not again & changes
    assert {"ListMessages", "ReadEvents", "Refresh", "CancelTurn"} <= again
