"""Stages of several processes on one Postgres and one Redis, with Envoy before them."""

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from antiphon_client import ApiKey, Client
from antiphon_client.caller import DEADLINE_S, PATIENCE_S
from antiphon_client.redial import Connection, ignore_connection
from antiphon_client.token_exchange import TokenExchange
from antiphon_client.token_store import MemoryTokenStore
from antiphon_client.tokens import TokenSource
from antiphon_server.runtime.installation import SERVICES
from tests.e2e.server import ServerProcess
from tests.fakes.postgres import Postgres
from tests.fakes.valkey import Valkey
from tests.robustness.clock import Clock
from tests.robustness.mesh.control_plane import ControlPlane
from tests.robustness.mesh.web_channel import WebChannel
from tests.robustness.stage import ANSWER, Door, Model, Stage, server_of

Split = Mapping[str, Sequence[str]]
"""Names of processes, and what each of them is told to do; the first one has auth."""
WHOLE: Split = {"server": ("up",)}
APART: Split = {name: ("serve", name) for name in SERVICES}
LEASE_S = 5.0
# Some that were killed are back before their lease has run out, others are not.
AWAY_S = (0.0, 7.0)
WAYS = ("direct", "envoy", "web")


@dataclass(slots=True)
class Deployment:
    """A stage, and the ways to it: to the servers by turns, through Envoy, and by grpc-web."""

    stage: Stage
    mesh: ControlPlane

    @property
    def parts(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Every process, and how it is restarted as it should be: told to end, and begun again."""
        servers = {
            server.data_dir.parent.name: partial(self._restart, server)
            for server in self.stage.servers
        }
        return {**servers, "control plane": self.mesh.restart}

    async def _restart(self, server: ServerProcess) -> None:
        await self.stage.end_life(server)
        await server.start()

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
        patience=PATIENCE_S,
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
async def deployment(
    home: Path, seed: str, postgres: Postgres, split: Split = WHOLE, copies: int = 2
) -> AsyncIterator[Deployment]:
    """All of it, for the block's time: each process of the split so often.

    One server has everything, unless a split says which services each process has.
    """
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
            "ANTIPHON_PEERS": json.dumps(dict.fromkeys(SERVICES, mesh.inside)),
        }
        servers = [
            server_of(endpoint, home / f"{name}-{number}", variables, verb)
            for name, verb in split.items()
            for number in range(1, copies + 1)
        ]
        await asyncio.gather(*(stack.enter_async_context(server) for server in servers))
        await mesh.until_open()
        people = await stack.enter_async_context(AsyncExitStack())
        stage = Stage(
            home, servers, Door(mesh.edge_port), endpoint, clock, seed, people, away_s=AWAY_S
        )
        yield Deployment(stage, mesh)
