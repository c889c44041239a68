"""A process that serves the log, as far as its callers can tell: it can be started again."""

import asyncio
from typing import TYPE_CHECKING

from antiphon.events.v1.event_service_pb2_grpc import (
    EventServiceStub,
    add_EventServiceServicer_to_server,
)
from antiphon_server.events.hub import RingBudget
from antiphon_server.events.hubs import Hubs
from antiphon_server.events.log import EventLog
from antiphon_server.events.ports import LogStore
from antiphon_server.events.servicer import EventServicer
from antiphon_server.events.subscriptions import Subscriptions
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor

if TYPE_CHECKING:
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub

ANNA = Principal("user", UserId("user_anna"), SessionId("sess_1"))


class Clock:
    """Unix time that moves when told to."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


class _Open:
    async def check_read(self, principal: Principal, scope: str) -> None:
        return

    async def verify(self, access_token: str) -> Principal:
        return ANNA


def _small() -> Hubs:
    """Rings that readers fall off, and fewer of them than scopes."""
    return Hubs(2, RingBudget(ring_events=4, idle_events=2))


class LogNode:
    """One life of the process: the log with its writer, behind a local channel."""

    def __init__(self, store: LogStore, clock: Clock) -> None:
        self.log = EventLog(store, clock=clock, hubs=_small())
        self._writer = asyncio.create_task(self.log.run())
        self._server = LocalServer([ErrorInterceptor()])
        servicer = EventServicer(self.log, Subscriptions(_Open(), Shares()))
        add_EventServiceServicer_to_server(servicer, self._server)
        self.stub: EventServiceAsyncStub = EventServiceStub(self._server.channel())

    async def stop(self) -> None:
        """Commit what waits and end; streams are cut."""
        await self._server.stop(None)
        self.log.close()
        await self._writer
