"""The server under measurement: a real process, a real data directory, a real token."""

import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from antiphon.auth.v1.auth_service_pb2 import LoginRequest
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon_server.app.schemas import DATABASE_FILE, migrate_all
from antiphon_server.auth.adapters.sql import sql_stores
from antiphon_server.auth.compose.whole import compose_auth
from antiphon_server.runtime.storage.data_dir_lock import exclusive
from antiphon_server.runtime.storage.sqlite import SqliteDatabase
from tests.fakes.session_events import MemorySessionEvents
from tests.proofs.bench.processes import Server, launched

MODEL = "bench/fake"


@dataclass(frozen=True, slots=True)
class Antiphon:
    """A server that serves; ``token`` is the local operator's access token."""

    server: Server
    token: str

    @property
    def target(self) -> dict[str, Any]:
        """What a load is told about it."""
        return self.server.target | {"token": self.token}


@asynccontextmanager
async def launched_antiphon(
    data_dir: Path,
    model_url: str = "",
    variables: Mapping[str, str] | None = None,
    command: Sequence[str] = ("up",),
    port: int = 0,
) -> AsyncIterator[Server]:
    """The process alone; not ready when the block begins."""
    models = [{"name": MODEL, "kind": "openai", "base_url": model_url, "model": "fake"}]
    # One user posts thousands of times a second here: what is measured is the server.
    chosen = {"ANTIPHON_RATE_LIMITS": '{"enabled": false}', **(variables or {})}
    chosen |= {"ANTIPHON_MODELS": json.dumps(models)} if model_url else {}
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    async with launched(
        "antiphon_server",
        *(*command, "--data-dir", str(data_dir)),
        *("--model", MODEL if model_url else "scripted/bench"),
        *("--admin-port", "0", "--log-level", "warning"),
        *(("--port", str(port)) if port else ()),
        log=data_dir.parent / f"{data_dir.name}.log",
        extra=chosen,
        port=port,
    ) as server:
        yield server


@asynccontextmanager
async def antiphon_up(
    data_dir: Path, model_url: str = "", variables: Mapping[str, str] | None = None
) -> AsyncIterator[Antiphon]:
    """The process, ready, and a token. Raises DidNotStart."""
    async with launched_antiphon(data_dir, model_url, variables) as server:
        await server.serving()
        yield Antiphon(server, await operator_token(server.address, data_dir))


async def operator_token(address: str, data_dir: Path) -> str:
    """An access token of the local operator of a server that serves."""
    return await _login(address, (data_dir / "operator.key").read_text().strip())


async def _login(address: str, key: str) -> str:
    async with grpc.aio.insecure_channel(address) as channel:
        request = LoginRequest(device="bench")
        request.api_key.api_key = key
        response = await AuthServiceStub(channel).Login(request, timeout=10)
        return response.tokens.access_token


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


async def service_token(data_dir: Path, seconds_ago: float = 0.0) -> str:
    """A token of a service of the installation, for calls that only services may make.

    It was signed so long ago, with the key of a server that does not run.
    """
    async with offline(data_dir) as database:
        auth = compose_auth(
            sql_stores(database),
            MemorySessionEvents(),
            data_dir,
            clock=lambda: time.time() - seconds_ago,
        )
        await auth.start()
        try:
            return auth.tokens.access_tokens.for_service("dispatcher")[0]
        finally:
            await auth.close()
