"""Calls and their ends, as a server sees them."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection

from antiphon_server.integration.connections.adapters.grpc_calls import dialled as dialling
from antiphon_server.integration.connections.adapters.grpc_calls.dialled import Dialled, trust
from antiphon_server.integration.connections.adapters.grpc_calls.kind import GrpcServers
from antiphon_server.integration.connections.adapters.signing import OperatorSecrets
from antiphon_server.integration.connections.model import Bearer, Connection, Grpc, Limits
from antiphon_server.integration.connections.ports import Link
from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.integration.tools.model import Call, Caller, SourceName, ToolCallId, ToolName
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.egress.names import place_of
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from tests.integration.connections.grpc_calls.things import Given
from tests.runtime.egress.places import LOOPBACK, PUBLIC, Names, canary

LOCAL = ["127.0.0.0/8"]
SERVICE = "grpc.health.v1.Health"
CALL = Call(ToolCallId("call_1"), ToolName("x.Health.Check"), {}, Caller("ws"))


class Server:
    """Serves health by reflection; a check waits until it is cancelled, or ends as it is told."""

    def __init__(self) -> None:
        self.started, self.cancelled = asyncio.Event(), asyncio.Event()
        self.metadata: dict[str, str | bytes] = {}
        self.probed = False
        self.code: grpc.StatusCode | None = None

    async def check(self, request: Any, context: Any) -> Any:
        self.metadata = dict(context.invocation_metadata())
        if "idempotency-key" not in self.metadata:  # a probe
            return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)
        if self.code is not None:
            await context.abort(self.code, "said so")
        self.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


@pytest.fixture
async def made() -> AsyncIterator[tuple[Server, Link]]:
    """A server and a link to it, which knows its tools."""
    told, server = Server(), grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(
        told.check,
        request_deserializer=health_pb2.HealthCheckRequest.FromString,
        response_serializer=health_pb2.HealthCheckResponse.SerializeToString,
    )
    generic = grpc.method_handlers_generic_handler(SERVICE, {"Check": handler})
    server.add_generic_rpc_handlers((generic,))
    reflection.enable_server_reflection([SERVICE], server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    target = Grpc(f"http://127.0.0.1:{port}", (SERVICE,))
    signed = Bearer(SecretName("x"))
    limits = Limits(call_s=0.5)
    connection = Connection("", SourceName("x"), target, credential=signed, limits=limits)
    secrets = OperatorSecrets({SecretName("x"): "s3cret"}, None)  # type: ignore[arg-type]
    link = await GrpcServers(EgressPolicy(), secrets, Given()).link(connection, lambda: None)
    await link.discover()
    yield told, link
    await link.close()
    await server.stop(None)


async def test_a_call_that_is_cancelled_is_so_at_the_server(made: tuple[Server, Link]) -> None:
    """Within 100 ms; it had the credential and the call's id."""
    server, link = made
    running = asyncio.create_task(link.call(CALL))
    await server.started.wait()
    assert server.metadata["authorization"] == "Bearer s3cret"
    assert server.metadata["idempotency-key"] == "call_1"
    began = time.monotonic()
    running.cancel()
    await server.cancelled.wait()
    assert time.monotonic() - began < 0.1
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_statuses_are_told_apart(made: tuple[Server, Link]) -> None:
    """What may have been done, what takes too long, and what the server itself refuses."""
    server, link = made
    with pytest.raises(DomainError) as late:
        await link.call(CALL)
    assert late.value.reason is Reason.TOOL_TIMEOUT
    server.code = grpc.StatusCode.UNAVAILABLE
    with pytest.raises(DomainError) as away:
        await link.call(CALL)
    assert away.value.reason is Reason.TOOL_CALL_LOST
    server.code = grpc.StatusCode.PERMISSION_DENIED
    result: Any = await link.call(CALL)
    assert result.failed
    assert result.parts[0].content == "PERMISSION_DENIED: said so"


async def test_a_name_that_changes_is_not_dialled_again() -> None:
    """Public at first, this machine then: the channel is gone, and nobody has come."""
    names = Names(evil_example=[[PUBLIC], [LOOPBACK]])
    async with canary() as found:
        place = place_of(f"http://evil.example:{found.port}")
        trusted = await asyncio.to_thread(trust)
        dialled = Dialled(place, Dialler(EgressPolicy(), names), trusted, Limits())
        await dialled.channel()
        for _ in range(3):
            with pytest.raises(DomainError, match="EGRESS_DENIED"):
                await dialled.channel()
        await dialled.close()
        assert found.visits == 0


async def test_calls_go_on_where_the_name_leads_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as the connection lets them."""
    monkeypatch.setattr(dialling, "GRACE_S", 0.05)
    asked, goes_on = asyncio.Event(), asyncio.Event()

    async def wait(request: bytes, context: Any) -> bytes:
        asked.set()
        await goes_on.wait()
        return b"done"

    server = grpc.aio.server()
    handlers: dict[str, Any] = {"Wait": grpc.unary_unary_rpc_method_handler(wait)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("it", handlers),))
    port = server.add_insecure_port(f"{LOOPBACK}:0")
    await server.start()
    names, policy = Names(moving_lan=[[LOOPBACK], ["127.0.0.2"]]), EgressPolicy.allowing([], LOCAL)
    trusted = await asyncio.to_thread(trust)
    place = place_of(f"http://moving.lan:{port}")
    one = Dialled(place, Dialler(policy, names), trusted, Limits(call_s=10))
    before: Any = await one.channel()
    running: asyncio.Future[bytes] = asyncio.ensure_future(before.unary_unary("/it/Wait")(b""))
    await asked.wait()
    assert await one.vetted() is not before
    await asyncio.sleep(0.3)
    goes_on.set()
    assert await running == b"done"
    await one.close()
    await server.stop(None)
