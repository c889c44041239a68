"""A token that was good once."""

import time
from pathlib import Path

from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon_server.auth.adapters.sql import sql_stores
from antiphon_server.auth.compose.whole import compose_auth
from tests.e2e.callers import channel_to
from tests.e2e.refusals import refused
from tests.e2e.server import ServerProcess
from tests.fakes.memory.auth.events import MemorySessionEvents
from tests.proofs.bench.antiphon import offline


async def token_of_an_hour_ago(data_dir: Path) -> str:
    """A token that this installation signed an hour ago, for five minutes."""
    async with offline(data_dir) as database:
        auth = compose_auth(
            sql_stores(database),
            MemorySessionEvents(),
            data_dir,
            clock=lambda: time.time() - 3600,
        )
        await auth.start()
        try:
            return auth.tokens.access_tokens.for_service("dispatcher")[0]
        finally:
            await auth.close()


async def test_an_expired_token_is_refused(tmp_path: Path) -> None:
    """It is TOKEN_EXPIRED: the client is told to refresh it."""
    async with ServerProcess(tmp_path) as server:
        await server.terminate()
        token = await token_of_an_hour_ago(server.data_dir)
        await server.start()
        async with channel_to(server) as channel:
            listing = ContextServiceStub(channel).ListConversations(
                pb.ListConversationsRequest(), metadata=(("authorization", f"Bearer {token}"),)
            )
            assert await refused(listing) == "TOKEN_EXPIRED"
