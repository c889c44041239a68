"""Servers of the log on one database, which is shared."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon.events.v1.event_service_pb2_grpc import (
    EventServiceStub,
    add_EventServiceServicer_to_server,
)
from antiphon_server.events.adapters.tables import metadata
from antiphon_server.events.compose import Events, compose_events
from antiphon_server.runtime.access.permissions import Role
from antiphon_server.runtime.access.principal import Principal, SessionId
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.rpc.interceptors.caller import CallerInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.storage.redis import Redis
from antiphon_server.runtime.storage.sqlite import SqliteDatabase
from tests.events.world import ANNA
from tests.fakes.fixed_roles import FixedRoles

if TYPE_CHECKING:
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub


class SharedSqlite(SqliteDatabase):
    """A file that other nodes use, too."""

    shared = True


class Tokens:
    """Takes the names of sessions for tokens; they are Anna's."""

    async def verify(self, token: str) -> Principal:
        return replace(ANNA, session_id=SessionId(token))


@dataclass(slots=True)
class Server:
    """A node; ``stub`` calls it as Anna."""

    events: Events
    stub: "EventServiceAsyncStub"
    as_session: Callable[[str], "EventServiceAsyncStub"]


@contextlib.asynccontextmanager
async def server(
    folder: Path, roles: dict[str, Role], redis_url: str = ""
) -> AsyncIterator[Server]:
    """A node on the folder's database, where Anna has those roles at the moment."""
    async with Lifecycle() as lifecycle:
        database = SharedSqlite(folder / "shared.db")
        lifecycle.on_stop("store", database.close)
        await database.write(metadata.create_all)
        redis = Redis(redis_url) if redis_url else None
        if redis is not None:
            lifecycle.on_stop("redis", redis.close)
        events = compose_events(
            database, FixedRoles(roles), Tokens(), Shares(), redis=redis, bus_key=b"key"
        )
        await events.start(lifecycle, Health())

        def stub(session_id: str) -> "EventServiceAsyncStub":
            caller = replace(ANNA, session_id=SessionId(session_id))
            local = LocalServer([ErrorInterceptor(), CallerInterceptor(caller)])
            add_EventServiceServicer_to_server(events.servicer, local)
            lifecycle.on_stop("server", lambda: local.stop(None))
            return EventServiceStub(local.channel())

        yield Server(events, stub(ANNA.session_id), stub)
        assert not lifecycle.crashed.is_set()
