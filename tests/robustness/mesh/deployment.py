"""A stage of several servers on one Postgres and one Redis, with Envoy before them."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from antiphon_client import ApiKey, Client
from antiphon_client.caller import DEADLINE_S
from antiphon_client.redial import Connection, ignore_connection
from antiphon_client.token_exchange import TokenExchange
from antiphon_client.token_store import MemoryTokenStore
from antiphon_client.tokens import TokenSource
from tests.fakes.postgres import Postgres
from tests.fakes.valkey import Valkey
from tests.robustness.clock import Clock
from tests.robustness.mesh.control_plane import ControlPlane
from tests.robustness.mesh.web_channel import WebChannel
from tests.robustness.stage import ANSWER, Door, Model, Stage, server_of

REPLICAS = 2
LEASE_S = 3.0
# Some that were killed are back before their lease has run out, others are not.
AWAY_S = (0.0, 5.0)
WAYS = ("direct", "envoy", "web")


@dataclass(slots=True)
class Deployment:
    """A stage, and the ways to it: to the servers by turns, through Envoy, and by grpc-web."""

    stage: Stage
    mesh: ControlPlane

    def enter(self, way: str) -> Stage:
        """The stage, for people who come in that way."""
        edge = self.mesh.edge_port
        doors = {
            "direct": lambda: Door(*(server.port for server in self.stage.servers)),
            "envoy": lambda: Door(edge),
            "web": lambda: Door(edge, connect=by_web),
        }
        self.stage.door = doors[way]()
        return self.stage


def by_web(
    address: str,
    key: ApiKey,
    /,
    *,
    deadline: float = DEADLINE_S,
    on_connection: Callable[[Connection], None] = ignore_connection,
) -> Client:
    """A client whose every call is grpc-web."""
    channel = WebChannel(int(address.rpartition(":")[2]))
    tokens = TokenSource(TokenExchange(channel, "a browser"), key, MemoryTokenStore())
    return Client(
        channel,
        tokens,
        deadline=deadline,
        silence=40.0,
        give_up_after=300.0,
        on_connection=on_connection,
    )


def new_secret() -> str:
    """Of an installation."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


@asynccontextmanager
async def own_postgres() -> AsyncIterator[Postgres]:
    """A Postgres for the block's time."""
    postgres = await asyncio.to_thread(Postgres)
    try:
        await asyncio.to_thread(postgres.start)
        yield postgres
    finally:
        await asyncio.to_thread(postgres.remove)


@asynccontextmanager
async def deployment(home: Path, seed: str, postgres: Postgres) -> AsyncIterator[Deployment]:
    """All of it, for the block's time."""
    async with AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(Model(ANSWER))
        valkey = await stack.enter_async_context(Valkey())
        mesh = await stack.enter_async_context(ControlPlane(home, new_secret()))
        clock = Clock(home / "clock")
        variables = {
            **mesh.variables,
            **clock.variables,
            "ANTIPHON_DATABASE_URL": await postgres.database(),
            "ANTIPHON_REDIS_URL": valkey.url,
            "ANTIPHON_LEASE_S": str(LEASE_S),
        }
        servers = [
            server_of(endpoint, home / f"server-{number}", variables)
            for number in range(1, REPLICAS + 1)
        ]
        await asyncio.gather(*(stack.enter_async_context(server) for server in servers))
        await mesh.until_open()
        people = await stack.enter_async_context(AsyncExitStack())
        stage = Stage(
            home, servers, Door(mesh.edge_port), endpoint, clock, seed, people, away_s=AWAY_S
        )
        yield Deployment(stage, mesh)
