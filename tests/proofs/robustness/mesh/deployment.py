"""Stages of several processes on one Postgres and one Redis, with Envoy before them."""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from types import MappingProxyType

from antiphon_client import ApiKey, Client
from antiphon_client.caller import DEADLINE_S, PATIENCE_S
from antiphon_client.redial import Connection, ignore_connection
from antiphon_client.token_exchange import TokenExchange
from antiphon_client.token_store import MemoryTokenStore
from antiphon_client.tokens import TokenSource
from antiphon_server.installation import NAMES
from tests.e2e.process import COMMAND, OwnProcess
from tests.fakes.postgres import Postgres
from tests.fakes.valkey import Valkey
from tests.proofs.robustness.clock import Clock
from tests.proofs.robustness.mesh.edge import EdgeProcess
from tests.proofs.robustness.mesh.web_channel import WebChannel
from tests.proofs.robustness.odd_server import COMMAND as JUMPING
from tests.proofs.robustness.stage import ANSWER, Door, Model, Stage, server_of

Split = Mapping[str, Sequence[str]]
"""Names of processes, and what each of them is told to do; the first one has auth."""
WHOLE: Split = {"server": ("up",)}
NEW = frozenset({"memory"})
"""Services that the last version does not know, nor takes as peers."""
APART: Split = {name: ("serve", name) for name in NAMES}
NOW: Mapping[str, str] = MappingProxyType({})
"""No earlier version: all processes run this one from the start."""
LEASE_S = 5.0
AT_ONCE = 4
# Some that were killed are back before their lease has run out, others are not.
AWAY_S = (0.0, 7.0)
WAYS = ("direct", "envoy", "web")


@dataclass(slots=True)
class Deployment:
    """A stage, and the ways to it: to the servers by turns, through Envoy, and by grpc-web.

    ``earlier`` are the variables by which its processes run an earlier version, until their
    first restart.
    """

    stage: Stage
    edges: Sequence[EdgeProcess]
    earlier: Mapping[str, str]

    @property
    def parts(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Every process, and how it is restarted as it should be: told to end, and begun again."""
        servers = {
            server.data_dir.parent.name: partial(self._restart, server)
            for server in self.stage.servers
        }
        return servers | {edge.name: partial(self._restart_edge, edge) for edge in self.edges}

    async def _restart(self, process: OwnProcess) -> None:
        await self.stage.end_life(process)
        for name in self.earlier:
            process.variables.pop(name, None)
        await process.start()

    async def _restart_edge(self, edge: EdgeProcess) -> None:
        await self._restart(edge)
        await edge.until_open()

    def enter(self, way: str) -> Stage:
        """The stage, for people who come in that way."""
        everywhere = "ipv4:" + ",".join(f"127.0.0.1:{edge.port}" for edge in self.edges)
        doors = {
            "direct": lambda: Door(*(server.port for server in self.stage.servers)),
            "envoy": lambda: Door(*(edge.port for edge in self.edges), anywhere=everywhere),
            "web": lambda: Door(*(edge.port for edge in self.edges), connect=by_web),
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
    home: Path,
    seed: str,
    postgres: Postgres,
    split: Split = WHOLE,
    copies: int = 2,
    edges_count: int = 2,
    earlier: Mapping[str, str] = NOW,
    lease_s: float = LEASE_S,
) -> AsyncIterator[Deployment]:
    """All of it, for the block's time: each process of the split so often, behind the edges.

    One server has everything, unless a split says which services each process has. All begin
    as the ``earlier`` version, if there is one.
    """
    async with AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(Model(ANSWER))
        valkey = await stack.enter_async_context(Valkey())
        clock, secret = Clock(home / "clock"), new_secret()
        edges = [
            EdgeProcess(home / f"edge-{number}", secret) for number in range(1, edges_count + 1)
        ]
        variables = {
            **clock.variables,
            "ANTIPHON_SECRET_KEY": secret,
            "ANTIPHON_BEHIND_PROXY": "true",
            "ANTIPHON_REGISTRY": ",".join(edge.registry for edge in edges),
            # An earlier version refuses tables that are newer than it is.
            "ANTIPHON_DATABASE_URL": await (
                postgres.empty_database if earlier else postgres.database
            )(),
            "ANTIPHON_REDIS_URL": valkey.url,
            "ANTIPHON_LEASE_S": str(lease_s),
        }
        inside = cycle(edge.inside for edge in edges)
        known = [name for name in NAMES if not (earlier and name in NEW)]
        servers = [
            server_of(
                endpoint,
                home / f"{name}-{number}",
                variables | {"ANTIPHON_PEERS": json.dumps(dict.fromkeys(known, next(inside)))},
                verb,
                COMMAND if earlier else JUMPING,
            )
            for name, verb in split.items()
            for number in range(1, copies + 1)
        ]
        for process in (*edges, *servers):
            process.variables.update(earlier)
        await _begin([*edges, *servers], stack)
        for edge in edges:
            await edge.until_open()
        people = await stack.enter_async_context(AsyncExitStack())
        door = Door(*(edge.port for edge in edges))
        stage = Stage(home, servers, door, endpoint, clock, seed, people, away_s=AWAY_S)
        yield Deployment(stage, edges, earlier)


async def _begin(processes: Sequence[OwnProcess], stack: AsyncExitStack) -> None:
    """Start them in their order, a few side by side: more would only wait for the processor."""
    began, turn = time.monotonic(), asyncio.Semaphore(AT_ONCE)

    async def begin(process: OwnProcess) -> None:
        async with turn:
            await stack.enter_async_context(process)

    await asyncio.gather(*map(begin, processes))
    print(f"{len(processes)} processes serve after {time.monotonic() - began:.0f} s", flush=True)
