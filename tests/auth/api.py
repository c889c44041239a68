"""A client's view of the auth service, with the interceptors that guard it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon.auth.v1 import auth_service_pb2_grpc
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.errors.wire import domain_error_of
from tests.auth.world import PASSWORD, World


@dataclass(slots=True)
class Api:
    """A client's view of the service."""

    world: World
    channel: grpc.aio.Channel
    operator_key: str
    sockets: bool
    data_dir: Path

    async def call(self, method: str, request: Any, token: str = "") -> Any:
        """Call one RPC. Raises DomainError for what it was refused with."""
        metadata = (("authorization", f"Bearer {token}"),) if token else None
        stub = auth_service_pb2_grpc.AuthServiceStub(self.channel)
        try:
            return await getattr(stub, method)(request, metadata=metadata, timeout=10)
        except grpc.aio.AioRpcError as error:
            raise domain_error_of(error) from error

    async def refused(self, method: str, request: Any, token: str = "") -> DomainError:
        """How one RPC was refused."""
        with pytest.raises(DomainError) as caught:
            await self.call(method, request, token)
        return caught.value

    async def sign_in(self, name: str = "", device: str = "test") -> pb.LoginResponse:
        """Sign in by password; as the local operator without a name."""
        request = pb.LoginRequest(device=device)
        if name:
            request.password.name, request.password.password = name, PASSWORD
        else:
            request.api_key.api_key = self.operator_key
        response: pb.LoginResponse = await self.call("Login", request)
        return response

    async def make(self, *names: str) -> None:
        """Make users."""
        token = (await self.sign_in()).tokens.access_token
        for name in names:
            await self.call("CreateUser", pb.CreateUserRequest(name=name, password=PASSWORD), token)
