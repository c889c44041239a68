"""Who is not trusted here takes nothing over: not yet, or not with that secret."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from antiphon_server.dispatcher.adapters.shared_sql import SharedTurnStore
from antiphon_server.dispatcher.adapters.tables import turns
from antiphon_server.dispatcher.model import ConversationId, Order, Policy, Turn, TurnId
from antiphon_server.runtime.configuration import Secret
from antiphon_server.runtime.nodes import OtherSecret
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.postgres import PostgresDatabase
from tests.apart.installation import Installation, new_secret
from tests.fakes.postgres import Postgres

LEASE_S = 1.0
TAKEN_S = 20.0
LEFT = Turn(
    TurnId("turn_00000001"),
    ConversationId("conv_00000001"),
    "users/ann",
    1,
    b"",
    Order(b"", "echo", Policy.QUEUE),
    node="node_gone",
)


@asynccontextmanager
async def on_one_database(
    postgres: Postgres, home: Path
) -> AsyncIterator[tuple[Installation, Database]]:
    """An installation that has not begun, and what a server that is gone has left."""
    url = await postgres.database()
    database = PostgresDatabase(url, pool=2)
    store = SharedTurnStore(database)
    await store.add(LEFT)
    await store.close()
    async with Installation(home, {"database_url": Secret(url), "lease_s": LEASE_S}) as apart:
        yield apart, database
    await database.close()


async def owners(database: Database) -> Sequence[str]:
    return await database.read(lambda it: list(it.scalars(select(turns.c.node))))


async def test_turns_are_taken_over_by_who_is_signed_in(postgres: Postgres, tmp_path: Path) -> None:
    """Without auth a dispatcher could go on with none of them; once it is there, it does."""
    async with on_one_database(postgres, tmp_path) as (apart, database):
        await apart.start("events", "dispatcher")
        await asyncio.sleep(LEASE_S)
        assert await owners(database) == ["node_gone"]
        await apart.start("auth")
        async with asyncio.timeout(TAKEN_S):
            while await owners(database) == ["node_gone"]:  # noqa: ASYNC110
                await asyncio.sleep(0.1)


async def test_another_secret_is_refused_at_the_start(postgres: Postgres, tmp_path: Path) -> None:
    """Also where nothing is of the auth service, which alone would notice."""
    async with on_one_database(postgres, tmp_path) as (apart, database):
        await apart.start("auth", "events")
        await apart.until_health("events", "identities", serves=True)
        with pytest.raises(ExceptionGroup) as told:
            await apart.start("dispatcher", secret_key=new_secret())
        assert told.group_contains(OtherSecret)
        assert await owners(database) == ["node_gone"]
