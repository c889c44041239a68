"""Connections cut at random, between clients and a server that both live on."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from antiphon_client import Client
from tests.e2e.server import ServerProcess, openai_model
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.fakes.proxy import Proxy
from tests.robustness.history import History, Reader
from tests.robustness.traffic import (
    Talker,
    caught_up,
    follow,
    follow_in_bits,
    note,
    read_state,
    write,
)
from tests.robustness.validators import violations

QUIET_S = 60.0


@dataclass(slots=True)
class Cut:
    """What came of it."""

    cuts: int = 0
    wrong: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    events: int = 0
    seen: int = 0
    seconds: float = 0.0

    @property
    def line(self) -> str:
        """All of it in a line."""
        states = ", ".join(f"{n} {state}" for state, n in sorted(self.states.items()))
        return (
            f"cuts: {self.cuts} in {self.seconds:.0f} s, {self.events} events in the log, "
            f"{self.seen} seen; turns: {states}; {len(self.wrong)} violations"
        )


class Cutter:
    """Cuts the connections of one client in every way there is, up to a common number."""

    def __init__(self, proxy: Proxy, chance: random.Random) -> None:
        self._proxy = proxy
        self._chance = chance

    async def run(self, cut: Cut, most: int) -> None:
        """Cut until there were ``most`` cuts in all."""
        while cut.cuts < most:
            await asyncio.sleep(self._chance.uniform(0.0, 0.3))
            if self._proxy.open:
                cut.cuts += 1
                await self._chance.choice([self._now, self._by_bytes, self._half, self._stall])()
                self._proxy.cut()

    async def _now(self) -> None:
        """In the moment."""

    async def _by_bytes(self) -> None:
        """After some bytes: in the middle of a frame."""
        self._proxy.cut_after(self._chance.randint(1, 3000), self._chance.choice(["up", "down"]))
        await asyncio.sleep(self._chance.uniform(0.0, 0.2))

    async def _half(self) -> None:
        """One direction first."""
        self._proxy.half_close(self._chance.choice(["up", "down"]))
        await asyncio.sleep(self._chance.uniform(0.0, 0.1))

    async def _stall(self) -> None:
        """After a silence; then nobody gets in for a moment."""
        self._proxy.stall(self._chance.choice(["up", "down", "both"]))
        await asyncio.sleep(self._chance.uniform(0.0, 0.2))
        self._proxy.refuse()
        self._proxy.cut()
        await asyncio.sleep(self._chance.uniform(0.0, 0.1))
        self._proxy.flow()


class _Scene:
    """One conversation, its people, each behind a proxy of their own."""

    def __init__(self, server: ServerProcess, conversation: str, chance: random.Random) -> None:
        self.history = History()
        self.readers: list[Reader] = []
        self.talkers: list[Talker] = []
        self.stopping = asyncio.Event()
        self.proxies: list[Proxy] = []
        self._server = server
        self._conversation = conversation
        self._chance = chance

    async def enter(self, stack: AsyncExitStack, group: asyncio.TaskGroup) -> None:
        """Let them begin; they work until ``stopping``."""
        for name in ("talker 1", "talker 2"):
            group.create_task(self._talk(await self._client(stack), self._reader(name, None)))
        client = await self._client(stack)
        group.create_task(write(client, self._conversation, self.history, self.stopping, 0.01))

    async def followers(self, stack: AsyncExitStack) -> list[asyncio.Task[None]]:
        """Let those begin who only read; they read until they are cancelled."""
        chance = random.Random(self._chance.random())
        works = [
            follow(await self._client(stack), self._conversation, self._reader("follower 1")),
            follow(await self._client(stack), self._conversation, self._reader("follower 2")),
            follow_in_bits(
                await self._client(stack), self._conversation, self._reader("comer"), chance
            ),
        ]
        return [asyncio.create_task(work) for work in works]

    def _reader(self, name: str, after: int | None = 0) -> Reader:
        reader = self.history.reader(name, after)
        self.readers.append(reader)
        return reader

    async def _client(self, stack: AsyncExitStack) -> Client:
        proxy = await stack.enter_async_context(Proxy(self._server.port))
        self.proxies.append(proxy)
        client = Client.connect(proxy.address, self._server.key)
        return await stack.enter_async_context(client)

    async def _talk(self, client: Client, reader: Reader) -> None:
        async with client.converse(
            self._conversation, on_event=lambda event: note(reader, event)
        ) as talk:
            talker = Talker(talk, self.history, reader)
            self.talkers.append(talker)
            await talker.run(self.stopping, random.Random(self._chance.random()))
            await self._until_caught_up(reader)

    async def _until_caught_up(self, reader: Reader) -> None:
        async with self._server.client() as client:
            await caught_up(client, self._conversation, [reader])


@asynccontextmanager
async def _server(home: Path) -> AsyncIterator[ServerProcess]:
    async with FakeEndpoint(Behaviour(deltas=30, gap_ms=5.0)) as endpoint:
        models = [openai_model("fake/ok", endpoint.base_url)]
        async with ServerProcess(home, models=models) as server:
            yield server


async def cut_connections(home: Path, cuts: int, seed: int) -> Cut:
    """So many cuts at random moments, and what everybody made of it."""
    chance, cut = random.Random(seed), Cut()
    began = time.monotonic()
    async with _server(home) as server, server.client() as client, AsyncExitStack() as stack:
        conversation = (await client.create_conversation()).conversation_id
        scene = _Scene(server, conversation, chance)
        followers = await scene.followers(stack)
        async with asyncio.TaskGroup() as working:
            await scene.enter(stack, working)
            async with asyncio.TaskGroup() as cutting:
                for proxy in scene.proxies:
                    cutter = Cutter(proxy, random.Random(chance.random()))
                    cutting.create_task(cutter.run(cut, cuts))
            scene.stopping.set()
        async with asyncio.timeout(QUIET_S):
            await caught_up(client, conversation, scene.readers[:3])
        await _end(followers)
        await read_state(client, conversation, scene.history)
        cut.wrong += [f"log: {line}" for line in server.defects]
    cut.wrong += violations(scene.history)
    cut.events = len(scene.history.log)
    cut.seen = sum(len(reader.seen) for reader in scene.readers)
    for talker in scene.talkers:
        cut.states.update(talker.states)
    cut.seconds = time.monotonic() - began
    return cut


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
