"""The service that has the log, which context tells of its changes."""

import asyncio
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, select

from antiphon.events.v1.event_service_pb2_grpc import (
    EventServiceStub,
    add_EventServiceServicer_to_server,
)
from antiphon_server.events.adapters.redaction import EventWords
from antiphon_server.events.adapters.silent_bus import SilentBus
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.adapters.tables import log as log_rows
from antiphon_server.events.adapters.tables import requests, scopes, told
from antiphon_server.events.erasing import Erasing
from antiphon_server.events.log import EventLog as Log
from antiphon_server.events.servicer import EventServicer
from antiphon_server.events.subscriptions import Subscriptions
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.storage.database import Database
from tests.context.stand_ins import Clock, Tokens

if TYPE_CHECKING:
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub


class _Open(Tokens):
    async def check_read(self, principal: Principal, scope: str) -> None:
        return


class LogService:
    """The service that has the log, over its lives; ``stub`` calls the one that runs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._life = Lifecycle()

    async def start(self) -> None:
        """Begin a life."""
        bus = SilentBus() if self._database.shared else None
        self.log = Log(SqlLogStore(self._database), clock=self._clock, bus=bus)
        writer = self._life.spawn("log", self.log.run())

        async def flush() -> None:
            self.log.close()
            await asyncio.wait([writer])

        self._life.on_stop("log", flush)
        if self.log.peer_commits is not None:
            self._life.spawn("log.nodes", self.log.peer_commits.run())
        server = LocalServer([ErrorInterceptor()])
        add_EventServiceServicer_to_server(
            EventServicer(
                self.log,
                Subscriptions(_Open(), Shares()),
                erasing=Erasing(self.log, EventWords()),
            ),
            server,
        )
        self.stub: EventServiceAsyncStub = EventServiceStub(server.channel())

    async def stop(self) -> None:
        """End it."""
        await self._life.stop()

    async def lose(self, scope: str) -> None:
        """Lose what is stored of a scope."""

        def work(connection: Connection) -> None:
            lost = select(scopes.c.id).where(scopes.c.scope == scope).scalar_subquery()
            for table in (log_rows, requests, told):
                connection.execute(delete(table).where(table.c.scope_id == lost))
            connection.execute(delete(scopes).where(scopes.c.scope == scope))

        await self._database.write(work)
