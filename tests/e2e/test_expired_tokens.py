"""A token that was good once."""

from pathlib import Path

from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from tests.e2e.callers import channel_to
from tests.e2e.refusals import refused
from tests.e2e.server import ServerProcess
from tests.proofs.bench.antiphon import service_token


async def test_an_expired_token_is_refused(tmp_path: Path) -> None:
    """It is TOKEN_EXPIRED: the client is told to refresh it."""
    async with ServerProcess(tmp_path) as server:
        await server.terminate()
        token = await service_token(server.data_dir, seconds_ago=3600)
        await server.start()
        async with channel_to(server) as channel:
            listing = ContextServiceStub(channel).ListConversations(
                pb.ListConversationsRequest(), metadata=(("authorization", f"Bearer {token}"),)
            )
            assert await refused(listing) == "TOKEN_EXPIRED"
