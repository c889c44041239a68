"""A client's view of the auth service, with the interceptors that guard it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon.auth.v1.audit_service_pb2_grpc import (
    AuditServiceStub,
    add_AuditServiceServicer_to_server,
)
from antiphon.auth.v1.auth_service_pb2_grpc import (
    AuthServiceStub,
    add_AuthServiceServicer_to_server,
)
from antiphon.auth.v1.profile_service_pb2_grpc import (
    ProfileServiceStub,
    add_ProfileServiceServicer_to_server,
)
from antiphon_server.auth.compose.auth import auth_servicer, profile_servicer
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import domain_error_of
from antiphon_server.runtime.net.addresses import Callers
from antiphon_server.runtime.rpc.interceptors.access import AccessInterceptor
from antiphon_server.runtime.rpc.interceptors.address import AddressInterceptor
from antiphon_server.runtime.rpc.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from tests.auth.world import PASSWORD, World
from tests.fakes.fixed_roles import FixedRoles


@asynccontextmanager
async def served(
    world: World, *, local: bool = False, options: Sequence[tuple[str, int]] = ()
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the world's services with all their guards, on a port or in this process."""
    interceptors = [
        ErrorInterceptor(),
        AddressInterceptor(Callers()),
        AuthenticationInterceptor(world.auth.verifier),
        ValidationInterceptor(),
        AccessInterceptor(FixedRoles()),
    ]
    server = LocalServer(interceptors) if local else grpc.aio.server(interceptors=interceptors)
    add_AuthServiceServicer_to_server(auth_servicer(world.auth), server)
    add_AuditServiceServicer_to_server(world.auth.trail.servicer, server)
    add_ProfileServiceServicer_to_server(profile_servicer(world.auth), server)
    if isinstance(server, LocalServer):
        channel: grpc.aio.Channel = server.channel()
    else:
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options)
    yield channel
    await channel.close()
    await server.stop(0)


def bearer(token: str) -> Any:
    """The metadata that carries a token, if there is one."""
    return (("authorization", f"Bearer {token}"),) if token else None


def key_login(secret: str) -> pb.LoginRequest:
    """Sign in by an API key."""
    return pb.LoginRequest(api_key=pb.ApiKeyCredential(api_key=secret))


@dataclass(slots=True)
class Rpcs:
    """A client's view of the service."""

    world: World
    channel: grpc.aio.Channel

    async def call(self, method: str, request: Any, token: str = "") -> Any:
        """Call one RPC. Raises DomainError for what it was refused with."""
        try:
            return await self._rpc(method)(request, metadata=bearer(token), timeout=10)
        except grpc.aio.AioRpcError as error:
            raise domain_error_of(error) from error

    def stream(self, method: str, request: Any, token: str = "") -> Any:
        """Open a stream."""
        return self._rpc(method)(request, metadata=bearer(token))

    def _rpc(self, method: str) -> Any:
        kinds = (AuthServiceStub, AuditServiceStub, ProfileServiceStub)
        stubs = [kind(self.channel) for kind in kinds]
        return next(getattr(stub, method) for stub in stubs if hasattr(stub, method))

    async def refused(self, method: str, request: Any, token: str = "") -> DomainError:
        """How one RPC was refused."""
        with pytest.raises(DomainError) as caught:
            await self.call(method, request, token)
        return caught.value

    async def why(self, method: str, request: Any, token: str = "") -> Reason:
        """Why one RPC was refused."""
        return (await self.refused(method, request, token)).reason

    async def who(self, token: str) -> pb.WhoAmIResponse:
        """Whom the service sees behind a token."""
        answer: pb.WhoAmIResponse = await self.call("WhoAmI", pb.WhoAmIRequest(), token)
        return answer

    async def rejects(self, token: str) -> Reason:
        """Why the service takes a token no more."""
        return await self.why("WhoAmI", pb.WhoAmIRequest(), token)


@dataclass(slots=True)
class Api(Rpcs):
    """The same with the local operator's key."""

    operator_key: str
    sockets: bool
    data_dir: Path

    async def sign_in(self, name: str = "", device: str = "test") -> pb.LoginResponse:
        """Sign in by password; as the local operator without a name."""
        request = key_login(self.operator_key)
        if name:
            request.password.name, request.password.password = name, PASSWORD
        request.device = device
        response: pb.LoginResponse = await self.call("Login", request)
        return response

    async def token(self, name: str = "", device: str = "test") -> str:
        """An access token of a new session."""
        return (await self.sign_in(name, device)).tokens.access_token

    async def make(self, *names: str) -> None:
        """Make users."""
        token = await self.token()
        for name in names:
            await self.call("CreateUser", pb.CreateUserRequest(name=name, password=PASSWORD), token)
