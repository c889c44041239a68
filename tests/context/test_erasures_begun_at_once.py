"""Erasures that are begun at once on a database of several servers."""

import asyncio

from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.service.erasure_tasks import ErasureTasks
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from tests.context.world import server_on
from tests.fakes.postgres import Postgres

ROUNDS = 20


async def test_first_calls_at_once_begin_one(postgres: Postgres) -> None:
    """All are answered with the same erasure of a person, and the trail is told of it once."""
    async with postgres.opened() as database, server_on(database, relay_wait_s=0) as world:
        world.audit.broken = True
        store = SqlStore(database)
        tasks = ErasureTasks(store, world.context.changes, world.accounts, world.clock)
        for number in range(ROUNDS):
            who = UserId(f"user_{number:08}")
            caller = Principal("user", who, SessionId("s"))
            calls = [tasks.person(caller, who) for _ in range(4)]
            assert len(set(await asyncio.gather(*calls))) == 1
        waiting = await store.read(lambda r: r.audit_outbox.first(1000))
        assert len(waiting) == ROUNDS
