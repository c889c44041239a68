"""When a stop is answered, nothing more is sent of its turn: not to the model, nor to readers.

Readers are judged by the order of what one connection brings: a client's loop may read an answer
before the text that came before it. So may an endpoint's, that reads a request when its turn comes:
for the model the kernel is asked, in the moment of the answer and before anything else runs. On one
machine what was sent before is in its buffers.
"""

import asyncio
import base64
import contextlib
import os
import random
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from antiphon_client import Client, new_turn_id
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess, openai_model
from tests.e2e.wire_order import texts_around
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.fakes.postgres import Postgres
from tests.fakes.proxy import Proxy
from tests.fakes.valkey import Valkey

STOPS = 40
MANY = (STOPS, pytest.param(200, marks=pytest.mark.proof))
LATEST_S, TEXT_LATEST_S = 0.03, 0.3
LATER_S = 0.1
SLOW_S = 0.05
SPEAKING = Behaviour(deltas=2000, gap_ms=1)


class Kernel:
    """A port whose connections wait in the kernel until somebody looks."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=4 * STOPS)
        self._listening.setblocking(False)
        self._open: list[socket.socket] = []
        self.port = self._listening.getsockname()[1]

    def arrived(self) -> int:
        """How many bytes have come since the last look, and a connection is one, too."""
        count = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                self._open.append(self._listening.accept()[0])
                self._open[-1].setblocking(False)
                count += 1
        return count + sum(map(_received, self._open))

    def close(self) -> None:
        """Close all."""
        for each in (*self._open, self._listening):
            each.close()


def _received(connection: socket.socket) -> int:
    try:
        return len(connection.recv(1 << 20))
    except (BlockingIOError, ConnectionResetError):
        return 0


async def _stopped(one: Client, other: Client, conversation_id: str, after_s: float) -> str:
    """Ask the one server for a turn, and stop it by the other."""
    turn_id = new_turn_id()
    await one.dispatch(conversation_id, "go on", turn_id=turn_id)
    await asyncio.sleep(after_s)
    await other.cancel_turn(conversation_id, turn_id)
    return turn_id


async def _stopped_often(kernel: Kernel, one: Client, other: Client, stops: int) -> tuple[int, int]:
    """How often the model was sent something before a stop's answer, and how often after it."""
    chance, asked, late = random.Random(5), 0, 0
    conversation = (await one.create_conversation()).conversation_id
    for _ in range(stops):
        await _stopped(one, other, conversation, chance.uniform(0.0, LATEST_S))
        asked += kernel.arrived() > 0
        await asyncio.sleep(LATER_S)
        late += kernel.arrived() > 0
    return asked, late


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    made = Kernel()
    yield made
    made.close()


async def test_nothing_is_sent_to_a_model_after_a_stop(tmp_path: Path, kernel: Kernel) -> None:
    """Whenever the stop comes: before the request, within it, or while it waits for an answer."""
    models = [openai_model("silent/ok", f"http://127.0.0.1:{kernel.port}/v1")]
    async with ServerProcess(tmp_path, models=models) as server, server.client() as client:
        asked, late = await _stopped_often(kernel, client, client, STOPS)
        assert server.defects == []
    assert asked  # some were stopped late enough
    assert not late


@asynccontextmanager
async def _two(
    postgres: Postgres, home: Path, model_url: str, redis_url: str = ""
) -> AsyncIterator[tuple[ServerProcess, ServerProcess]]:
    """Two servers of one store, with Redis or without."""
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
        **({"ANTIPHON_REDIS_URL": redis_url} if redis_url else {}),
    }
    models = [openai_model("a/model", model_url)]
    one, other = (ServerProcess(home / name, models=models, variables=variables) for name in "ab")
    async with all_of([one, other]):
        yield one, other
        assert one.defects + other.defects == []


@pytest.mark.parametrize("stops", MANY)
async def test_nothing_is_sent_to_a_model_after_a_stop_at_another_server(
    postgres: Postgres, tmp_path: Path, kernel: Kernel, stops: int
) -> None:
    """The server that has the turn lets go of the model before the other one answers."""
    url = f"http://127.0.0.1:{kernel.port}/v1"
    async with (
        _two(postgres, tmp_path, url) as (first, second),
        first.client() as one,
        second.client() as other,
    ):
        asked, late = await _stopped_often(kernel, one, other, stops)
    assert asked
    assert not late


@pytest.mark.parametrize("stops", MANY)
@pytest.mark.parametrize("bus", ["redis", "slow redis", "no redis"])
async def test_no_text_is_sent_after_a_stop_at_another_server(
    postgres: Postgres, tmp_path: Path, stops: int, bus: str
) -> None:
    """To who reads at the server that was asked to stop it; the turn's own is another one."""
    chance, turns = random.Random(7), list[str]()
    async with AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(FakeEndpoint(SPEAKING))
        redis = await stack.enter_async_context(_redis(bus))
        first, second = await stack.enter_async_context(
            _two(postgres, tmp_path, endpoint.base_url, redis)
        )
        proxy = await stack.enter_async_context(Proxy(second.port))
        proxy.down.seen = bytearray()
        one = await stack.enter_async_context(first.client())
        other = await stack.enter_async_context(Client.connect(proxy.address, second.key))
        conversation = (await one.create_conversation()).conversation_id
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        reading = tasks.create_task(_read(other, conversation))
        for _ in range(stops):
            after_s = chance.uniform(0.0, TEXT_LATEST_S)
            turns.append(await _stopped(one, other, conversation, after_s))
        await asyncio.sleep(LATER_S)
        reading.cancel()
        assert proxy.connections == 1
    scope = f"conversations/{conversation}"
    before, late = texts_around(bytes(proxy.down.seen), scope, turns)
    assert not late
    assert before > stops / 4  # they were stopped in the middle of their text


@asynccontextmanager
async def _redis(bus: str) -> AsyncIterator[str]:
    """Its address, "" for none; what comes from a slow one comes later than a forwarded answer."""
    if bus == "no redis":
        yield ""
        return
    async with Valkey() as valkey, Proxy(valkey.port) as proxy:
        if bus == "slow redis":
            proxy.delay(SLOW_S, "down")
        yield f"redis://{proxy.address}/0"


async def _read(client: Client, conversation: str) -> None:
    async for _ in client.follow(f"conversations/{conversation}", earliest=True):
        pass
