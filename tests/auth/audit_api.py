"""The audit service as clients call it, on the clock of the wall."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from antiphon.auth.v1 import audit_service_pb2_grpc
from antiphon_server.auth.model import User
from antiphon_server.auth.service.users import NewUser
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.errors.wire import domain_error_of
from antiphon_server.runtime.net.addresses import Callers
from antiphon_server.runtime.rpc.interceptors.access import AccessInterceptor
from antiphon_server.runtime.rpc.interceptors.address import AddressInterceptor
from antiphon_server.runtime.rpc.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from tests.auth.world import OPERATOR, PASSWORD, FakeClock, World, open_world
from tests.fakes.fixed_roles import FixedRoles

# No more is on its way to a client that does not read, however long it waits.
LITTLE_AHEAD = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 1 << 16)]


@dataclass(slots=True)
class AuditApi:
    """A client's view of the service, with an operator, a user and their tokens."""

    world: World
    channel: grpc.aio.Channel
    stub: Any
    ann: User
    token: str
    boss_token: str

    async def call(self, method: str, request: Any, token: str = "") -> Any:
        """Call one RPC as the operator. Raises DomainError for what it was refused with."""
        try:
            return await getattr(self.stub, method)(
                request, metadata=bearer(token or self.boss_token), timeout=10
            )
        except grpc.aio.AioRpcError as error:
            raise domain_error_of(error) from error

    def stream(self, method: str, request: Any, token: str = "") -> Any:
        """Open a stream as the operator."""
        return getattr(self.stub, method)(request, metadata=bearer(token or self.boss_token))


def bearer(token: str) -> Any:
    """The metadata that carries a token."""
    return (("authorization", f"Bearer {token}"),)


async def end_of(stream: Any) -> Reason:
    """How a stream ends, read to its end."""
    return (await rest_of(stream))[1]


async def rest_of(stream: Any) -> tuple[list[Any], Reason]:
    """What is left of a stream, and how it ends."""
    answers = []
    try:
        while (answer := await stream.read()) is not grpc.aio.EOF:
            answers.append(answer)
    except grpc.aio.AioRpcError as failed:
        return answers, domain_error_of(failed).reason
    raise AssertionError("the stream ended well")


@asynccontextmanager
async def audit_api(data_dir: Path) -> AsyncIterator[AuditApi]:
    """The service on a port, with all its guards."""
    clock = FakeClock()
    clock.time = time.time()
    world = await open_world(data_dir, clock=clock)
    interceptors = [
        ErrorInterceptor(),
        AddressInterceptor(Callers()),
        AuthenticationInterceptor(world.auth.verifier),
        ValidationInterceptor(),
        AccessInterceptor(FixedRoles()),
    ]
    server = grpc.aio.server(interceptors=interceptors)
    audit_service_pb2_grpc.add_AuditServiceServicer_to_server(world.auth.trail.servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    ann = await world.user("ann")
    await world.accounts.users.create(OPERATOR, NewUser("boss", PASSWORD, operator=True))
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=LITTLE_AHEAD) as channel:
        stub: Any = audit_service_pb2_grpc.AuditServiceStub(channel)
        token = (await world.login("ann")).tokens.access_token
        boss = (await world.login("boss")).tokens.access_token
        yield AuditApi(world, channel, stub, ann, token, boss)
    await server.stop(0)
    await world.close()
