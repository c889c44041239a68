"""Where a scenario plays: servers, their model, conversations, people behind wires that break."""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from antiphon.context.v1.conversation_pb2 import TURN_POLICY_PARALLEL, TURN_POLICY_QUEUE
from antiphon_client import ApiKey, Client
from antiphon_client.redial import Connection
from tests.e2e.process import OwnProcess
from tests.e2e.server import ONE_FOR_MANY, ServerProcess, openai_model
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.fakes.proxy import Proxy
from tests.proofs.robustness.clock import Clock
from tests.proofs.robustness.history import History, Reader
from tests.proofs.robustness.odd_server import COMMAND
from tests.proofs.robustness.traffic import AT_LENGTH

# Beside a model that answers in 100 ms, limits after which the server gives up on it.
PATIENCE = {"first_byte_timeout_s": 1.0, "idle_timeout_s": 1.0}
# Within this it ends when it is told to.
EXIT_S = 10.0
ANSWER = Behaviour(deltas=20, gap_ms=5.0, usage=(11, 20))
# Longer than it takes to be told of a stop.
LONG_ANSWER = replace(ANSWER, deltas=3000)
# What finds by meaning takes 130 MB, once, when a prompt first looks for what was said before: by
# chance in the quiet in which nothing may grow. The benchmark's row of search has it.
BY_WORDS = {"ANTIPHON_SEARCH_BY_MEANING": "false"}


class Model(FakeEndpoint):
    """Answers at length where it is asked to."""

    def next_behaviour(self, body: Mapping[str, Any]) -> Behaviour:
        """As planned, or as long as the last message wants it."""
        if not self.plan and AT_LENGTH in str(body["messages"][-1]["content"]):
            return LONG_ANSWER
        return super().next_behaviour(body)


class Connect(Protocol):
    """Makes a client for an address."""

    def __call__(
        self,
        address: str,
        credentials: ApiKey,
        /,
        *,
        deadline: float = ...,
        on_connection: Callable[[Connection], None] = ...,
    ) -> Client: ...


class Door:
    """Where people come in: one after the other at each of these ports, and how they speak.

    Those whose wire is left alone may know all of them: ``anywhere`` is gRPC's address for that.
    """

    def __init__(self, *ports: int, connect: Connect = Client.connect, anywhere: str = "") -> None:
        self.connect = connect
        self._anywhere = anywhere
        self._ports: Iterator[int] = itertools.cycle(ports)

    def address(self) -> str:
        """All of them, or the next one."""
        return self._anywhere or f"127.0.0.1:{self.port()}"

    def port(self) -> int:
        """The next one's."""
        return next(self._ports)


@dataclass(slots=True)
class Scene:
    """One conversation and its history."""

    conversation_id: str
    workspace_id: str
    history: History

    @property
    def scope(self) -> str:
        """Its log."""
        return f"conversations/{self.conversation_id}"


@dataclass(slots=True)
class Stage:
    """What faults reach and people work on.

    ``states`` counts how turns ended, ``inflicted`` the faults, ``counts`` what else people
    did, by their names; ``wrong`` is what the server's process did against its promises.
    Nobody begins anything new when ``stopping`` is set.
    ``lives`` is held by a fault that ends or halts a server's process: there is one at a
    time; one that was killed is away for ``away_s``. ``halts`` are the times (seconds of the
    monotonic clock) in which one stood still and another could take its turns.
    """

    home: Path
    servers: Sequence[ServerProcess]
    door: Door
    endpoint: FakeEndpoint
    clock: Clock
    seed: str
    stack: AsyncExitStack
    scenes: list[Scene] = field(default_factory=list)
    proxies: list[Proxy] = field(default_factory=list)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    lives: asyncio.Lock = field(default_factory=asyncio.Lock)
    states: Counter[str] = field(default_factory=Counter)
    inflicted: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    away_s: tuple[float, float] = (0.0, 0.0)
    halts: list[tuple[float, float]] = field(default_factory=list)

    def chance(self, name: str) -> random.Random:
        """Somebody's own source of chance: the same in every run of the seed."""
        return random.Random(f"{self.seed}/{name}")

    async def client(self) -> Client:
        """A client behind a proxy of its own."""
        proxy = await self.stack.enter_async_context(Proxy(self.door.port()))
        self.proxies.append(proxy)
        client = self.door.connect(
            proxy.address, self.key, deadline=5.0, on_connection=self._noting_resumes()
        )
        return await self.stack.enter_async_context(client)

    def sure(self) -> Client:
        """A client whose wire is left alone."""
        return self.door.connect(self.door.address(), self.key)

    @property
    def key(self) -> ApiKey:
        """Everybody is the operator."""
        return self.servers[0].key

    @property
    def deaths(self) -> list[tuple[float, float]]:
        """When a server was ended, or its turns could be taken from it."""
        return [*self.halts, *(death for server in self.servers for death in server.deaths)]

    async def end_life(self, server: OwnProcess) -> float:
        """Tell a process to end, and note if it does not do so well; how long it took, in s."""
        began = time.monotonic()
        try:
            if code := await server.terminate():
                self.wrong.append(f"exit: {server.log.parent.name} ended with {code}")
        except TimeoutError:
            await server.kill()
        took = time.monotonic() - began
        if took > EXIT_S:
            self.wrong.append(f"exit: {server.log.parent.name} took {took:.1f} s to end")
        return took

    def _noting_resumes(self) -> Callable[[Connection], None]:
        broken = False

        def note(connection: Connection) -> None:
            nonlocal broken
            if connection.state == "connected":
                self.counts["streams resumed"] += broken
            broken = connection.state == "waiting" or (broken and connection.state == "connecting")

        return note

    async def open_scenes(self, count: int, retention_s: float | None = None) -> Sequence[Scene]:
        """New conversations, one after the other with each policy, instead of the old ones."""
        self.scenes = []
        async with self.sure() as client:
            author = f"users/{(await client.who_am_i()).user.user_id}"
            for number in range(count):
                policy = TURN_POLICY_PARALLEL if number % 2 else TURN_POLICY_QUEUE
                made = await client.create_conversation(policy=policy)
                history = History(author=author, sent=[], retention_s=retention_s)
                self.scenes.append(Scene(made.conversation_id, made.workspace_id, history))
        return self.scenes

    def readers(self) -> list[Reader]:
        """Everybody who reads, in all conversations."""
        return [reader for scene in self.scenes for reader in scene.history.readers]


@asynccontextmanager
async def stage(
    home: Path, seed: str, variables: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[Stage]:
    """A server whose clock can jump, and which serves; all of it ends with the block."""
    async with AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(Model(ANSWER))
        clock = Clock(home / "clock")
        server = server_of(endpoint, home, {**clock.variables, **variables})
        await stack.enter_async_context(server)
        people = await stack.enter_async_context(AsyncExitStack())
        yield Stage(home, [server], Door(server.port), endpoint, clock, seed, people)


def server_of(
    endpoint: FakeEndpoint,
    home: Path,
    variables: Mapping[str, str],
    verb: Sequence[str] = ("up",),
    command: Sequence[str] = COMMAND,
) -> ServerProcess:
    """A server that asks that model, and whose clock can jump unless ``command`` is another."""
    models = [openai_model("fake/ok", endpoint.base_url, **PATIENCE)]
    told = {**ONE_FOR_MANY, **BY_WORDS, **variables}
    return ServerProcess(home, models=models, variables=told, command=command, verb=verb)
