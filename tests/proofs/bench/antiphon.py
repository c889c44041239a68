"""The server under measurement: a real process, a real data directory, a real token."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon_server.app.schemas import DATABASE_FILE, migrate_all
from antiphon_server.auth.adapters.sql import sql_stores
from antiphon_server.auth.compose.auth import compose_auth
from antiphon_server.runtime.storage.data_dir_lock import exclusive
from antiphon_server.runtime.storage.sqlite import SqliteDatabase
from tests.e2e.server import ONE_FOR_MANY, ServerProcess, openai_model
from tests.fakes.session_events import MemorySessionEvents
from tests.proofs.bench.servers import MeasuredServer

MODEL = "bench/fake"


@dataclass(frozen=True, slots=True)
class Antiphon:
    """A server that serves; ``token`` is the local operator's access token."""

    server: MeasuredServer
    token: str

    @property
    def target(self) -> dict[str, Any]:
        """What a load is told about it."""
        return self.server.target | {"token": self.token}


def antiphon(
    home: Path,
    model_url: str = "",
    variables: Mapping[str, str] | None = None,
    verb: Sequence[str] = ("up",),
    port: int = 0,
    models: Sequence[Mapping[str, Any]] = (),
) -> MeasuredServer:
    """The process, on the data of ``home``."""
    if model_url:
        models = [openai_model(MODEL, model_url, model="fake")]
    # One user posts thousands of times a second here: what is measured is the server.
    limits = {"ANTIPHON_RATE_LIMITS": '{"enabled": false}', **ONE_FOR_MANY}
    chosen = {**limits, **(variables or {})}
    return MeasuredServer(home, models=models, variables=chosen, verb=verb, port=port)


async def operator_token(server: ServerProcess) -> str:
    """An access token of the local operator of a server that serves."""
    async with server.client() as client:
        return await client.tokens.get()


@asynccontextmanager
async def offline(data_dir: Path) -> AsyncIterator[SqliteDatabase]:
    """The store of a server that does not run, migrated: a way to fill it fast."""
    with exclusive(data_dir):
        database = SqliteDatabase(data_dir / DATABASE_FILE)
        try:
            await migrate_all(database)
            yield database
        finally:
            await database.close()


async def service_token(data_dir: Path, seconds_ago: float = 0) -> str:
    """A service's token, signed then with the key of a server that does not run."""
    async with offline(data_dir) as database:
        events, clock = MemorySessionEvents(), lambda: time.time() - seconds_ago
        auth = compose_auth(sql_stores(database), events, data_dir, clock=clock)
        await auth.start()
        try:
            return auth.tokens.access_tokens.for_service("dispatcher")[0]
        finally:
            await auth.close()
