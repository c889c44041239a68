"""A used-up refresh token ends its session for good, across kill -9 of a real server."""

from pathlib import Path
from typing import Any

import grpc
import pytest

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon.auth.v1.auth_pb2 import TokenPair
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from tests.e2e.server import ServerProcess


async def login(stub: Any, data_dir: Path) -> TokenPair:
    """The operator's tokens."""
    key = (data_dir / "operator.key").read_text().strip()
    request = pb.LoginRequest(api_key=pb.ApiKeyCredential(api_key=key))
    answer: pb.LoginResponse = await stub.Login(request, timeout=30)
    return answer.tokens


async def refresh(stub: Any, token: str) -> TokenPair:
    """The next tokens."""
    answer: pb.RefreshResponse = await stub.Refresh(
        pb.RefreshRequest(refresh_token=token), timeout=30
    )
    return answer.tokens


async def refused(stub: Any, pair: TokenPair) -> None:
    """Neither token of the pair works."""
    with pytest.raises(grpc.aio.AioRpcError, match="UNAUTHENTICATED"):
        await refresh(stub, pair.refresh_token)
    metadata = (("authorization", f"Bearer {pair.access_token}"),)
    with pytest.raises(grpc.aio.AioRpcError, match="UNAUTHENTICATED"):
        await stub.WhoAmI(pb.WhoAmIRequest(), metadata=metadata, timeout=30)


async def test_reuse_is_seen_across_kill_9(tmp_path: Path) -> None:
    """In the next life a stolen token ends the family: its next use, whichever, is refused."""
    async with ServerProcess(tmp_path) as server:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub = AuthServiceStub(channel)
            first = await login(stub, server.data_dir)
            second = await refresh(stub, first.refresh_token)
            third = await refresh(stub, second.refresh_token)
        await server.kill()
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub = AuthServiceStub(channel)
            with pytest.raises(grpc.aio.AioRpcError, match="UNAUTHENTICATED"):
                await refresh(stub, first.refresh_token)
            for pair in (second, third):
                await refused(stub, pair)
