"""Where a scenario plays: one server, its model, conversations, people behind wires that break."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from antiphon.context.v1.conversation_pb2 import TURN_POLICY_PARALLEL, TURN_POLICY_QUEUE
from antiphon_client import Client
from antiphon_client.redial import Connection
from tests.e2e.server import ServerProcess, openai_model
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.fakes.proxy import Proxy
from tests.robustness.clock import Clock
from tests.robustness.history import History, Reader
from tests.robustness.odd_server import COMMAND
from tests.robustness.traffic import AT_LENGTH

# Beside a model that answers in 100 ms, limits after which the server gives up on it.
PATIENCE = {"first_byte_timeout_s": 1.0, "idle_timeout_s": 1.0}
# Within this it ends when it is told to.
EXIT_S = 10.0
ANSWER = Behaviour(deltas=20, gap_ms=5.0, usage=(11, 20))
# Longer than it takes to be told of a stop.
LONG_ANSWER = replace(ANSWER, deltas=3000)


class Model(FakeEndpoint):
    """Answers at length where it is asked to."""

    def next_behaviour(self, body: Mapping[str, Any]) -> Behaviour:
        """As planned, or as long as the last message wants it."""
        if not self.plan and AT_LENGTH in str(body["messages"][-1]["content"]):
            return LONG_ANSWER
        return super().next_behaviour(body)


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
    ``lives`` is held by a fault that ends or halts the server's process: there is one at a
    time.
    """

    server: ServerProcess
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

    def chance(self, name: str) -> random.Random:
        """Somebody's own source of chance: the same in every run of the seed."""
        return random.Random(f"{self.seed}/{name}")

    async def client(self) -> Client:
        """A client behind a proxy of its own."""
        proxy = await self.stack.enter_async_context(Proxy(self.server.port))
        self.proxies.append(proxy)
        client = Client.connect(
            proxy.address, self.server.key, deadline=5.0, on_connection=self._noting_resumes()
        )
        return await self.stack.enter_async_context(client)

    async def end_life(self) -> float:
        """Tell the server to end, and note if it does not do so well; how long it took, in s."""
        began = time.monotonic()
        try:
            if code := await self.server.terminate():
                self.wrong.append(f"exit: the server ended with {code}")
        except TimeoutError:
            await self.server.kill()
        took = time.monotonic() - began
        if took > EXIT_S:
            self.wrong.append(f"exit: the server took {took:.1f} s to end")
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
        async with self.server.client() as client:
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
        server = ServerProcess(
            home,
            models=[openai_model("fake/ok", endpoint.base_url, **PATIENCE)],
            variables={**clock.variables, **variables},
            command=COMMAND,
        )
        await stack.enter_async_context(server)
        people = await stack.enter_async_context(AsyncExitStack())
        yield Stage(server, endpoint, clock, seed, people)
