"""Processes' worth of servers on one database: auth and events, each with a store of its own."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from argon2.profiles import CHEAPEST

from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon.auth.v1.auth_service_pb2_grpc import (
    AuthServiceStub,
    add_AuthServiceServicer_to_server,
)
from antiphon.events.v1.event_service_pb2 import FollowRequest, FollowResponse
from antiphon.events.v1.event_service_pb2_grpc import (
    EventServiceStub,
    add_EventServiceServicer_to_server,
)
from antiphon.events.v1.stream_pb2 import Watch
from antiphon_server.app.schemas import migrate_all
from antiphon_server.auth.adapters.argon2_pool import Argon2Pool
from antiphon_server.auth.adapters.redis_messenger import RedisMessenger
from antiphon_server.auth.adapters.sql import sql_stores
from antiphon_server.auth.compose.auth import Auth, auth_servicer, compose_auth
from antiphon_server.auth.compose.other_servers import OtherServers
from antiphon_server.auth.descriptor import AUTH
from antiphon_server.auth.service.signing_keys import KeySettings
from antiphon_server.auth.settings import AuthSettings
from antiphon_server.events.compose import compose_events
from antiphon_server.events.descriptor import EVENTS
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.interceptors.access import AccessInterceptor
from antiphon_server.runtime.rpc.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.storage.redis import Redis
from antiphon_server.runtime.storage.sqlite import SqliteDatabase
from tests.fakes.fixed_roles import FixedRoles
from tests.fakes.session_events import MemorySessionEvents


@dataclass(slots=True)
class Node:
    """One of the servers."""

    auth: Auth
    clients: Any
    streams: Any

    async def who_am_i(self, token: str) -> bool:
        """Whether the node takes the token."""
        try:
            await self.clients.WhoAmI(pb.WhoAmIRequest(), metadata=bearer(token), timeout=10)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAUTHENTICATED:
                raise
            return False
        return True

    async def follow(self, user_id: str, token: str) -> AsyncIterator[FollowResponse]:
        """The frames of an open stream of the user's own events."""
        watch = Watch(watch_id="w", scope=f"users/{user_id}")
        call = self.streams.Follow(FollowRequest(watches=[watch]), metadata=bearer(token))
        frames: AsyncIterator[FollowResponse] = aiter(call)
        await anext(frames)
        return frames


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """The metadata of a caller."""
    return (("authorization", f"Bearer {token}"),)


@contextlib.asynccontextmanager
async def node(data_dir: Path, redis_url: str = "") -> AsyncIterator[Node]:
    """A server on the data directory's database, as one of several."""
    async with Lifecycle() as lifecycle:
        database = SqliteDatabase(data_dir / "shared.db")
        lifecycle.on_stop("store", database.close)
        await migrate_all(database, [AUTH, EVENTS])
        others = OtherServers()
        if redis_url:
            redis = Redis(redis_url)
            lifecycle.on_stop("redis", redis.close)
            others = OtherServers(messenger=RedisMessenger(redis))
        auth = compose_auth(
            sql_stores(database),
            MemorySessionEvents(),
            data_dir,
            AuthSettings(keys=KeySettings(shared=True)),
            others,
            hasher=Argon2Pool(CHEAPEST),
        )
        lifecycle.on_stop("auth", auth.close)
        await auth.start()
        policy = FixedRoles()
        events = compose_events(database, policy, auth.verifier, Shares())
        auth.on_session_end(events.subscriptions.session_ended)
        auth.on_keys_withdrawn(events.subscriptions.check_tokens)
        lifecycle.spawn("log", events.log.run())
        lifecycle.spawn("following", auth.tokens.following.run())
        server = LocalServer(
            [
                ErrorInterceptor(),
                AuthenticationInterceptor(auth.verifier),
                AccessInterceptor(policy),
            ]
        )
        add_AuthServiceServicer_to_server(auth_servicer(auth), server)
        add_EventServiceServicer_to_server(events.servicer, server)
        lifecycle.on_stop("server", lambda: server.stop(None))
        channel = server.channel()
        yield Node(auth, AuthServiceStub(channel), EventServiceStub(channel))
