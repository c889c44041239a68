"""A real user's token and conversation, and what the guards of a server ask about them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from antiphon.context.v1.context_service_pb2_grpc import (
    ContextServiceStub,
    add_ContextServiceServicer_to_server,
)
from antiphon_server.auth.adapters.sql import sql_stores
from antiphon_server.auth.compose.auth import compose_auth
from antiphon_server.context.access_policy import ContextAccessPolicy
from antiphon_server.context.compose import compose_context
from antiphon_server.runtime.access.rules import TokenVerifier
from antiphon_server.runtime.cache.cache import MemoryCache
from antiphon_server.runtime.cache.known_names import KnownNames
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from tests.fakes.session_events import MemorySessionEvents
from tests.proofs.bench.antiphon import offline
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.loads.client import Metadata, Target


@dataclass(frozen=True, slots=True)
class Known:
    """The user's token and conversation, and who knows about both."""

    token: str
    conversation: str
    verifier: TokenVerifier
    policy: ContextAccessPolicy

    @property
    def metadata(self) -> Metadata:
        """The credentials of a call."""
        return (("authorization", f"Bearer {self.token}"),)


@asynccontextmanager
async def known_caller(bench: Bench) -> AsyncIterator[Known]:
    """Make the user on a server, then ask its store."""
    data_dir = bench.fresh() / "data"
    async with bench.antiphon(data_dir) as ours:
        target = Target(**ours.target)
        async with target.channel() as channel:
            conversation = await target.conversation(channel)
    async with offline(data_dir) as database:
        unguarded = LocalServer([ErrorInterceptor()])
        context = compose_context(database, unguarded.channel(), KnownNames(MemoryCache()))
        add_ContextServiceServicer_to_server(context.servicer, unguarded)
        auth = compose_auth(sql_stores(database), MemorySessionEvents(), data_dir)
        await auth.start()
        policy = ContextAccessPolicy(ContextServiceStub(unguarded.channel()))
        try:
            yield Known(ours.token, conversation, auth.verifier, policy)
        finally:
            await auth.close()
