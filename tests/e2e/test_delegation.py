"""Turns that ask for turns: begun once, whoever dies, and ended with who asked for them."""

import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from antiphon.events.v1 import event_pb2
from antiphon_client import Client
from tests.e2e.server import ServerProcess
from tests.e2e.until import until, until_it
from tests.workers.counting import ended
from tests.workers.processes import WorkerProcess, invited

TREE = (sys.executable, "-m", "tests.workers.tree")


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path / "server") as server:
        yield server


@pytest_asyncio.fixture
async def client(server: ServerProcess) -> AsyncIterator[Client]:
    async with server.client() as client:
        yield client


@pytest_asyncio.fixture
async def worker(server: ServerProcess, tmp_path: Path) -> AsyncIterator[WorkerProcess]:
    key = await invited(server, "tree")
    log = tmp_path / "worker.log"
    async with WorkerProcess(server.address, key, log, TREE) as worker:
        yield worker


async def answer(client: Client, conversation_id: str) -> str:
    """What people see who see no asides."""
    messages = [it async for it in client.list_messages(conversation_id)]
    (text,) = [
        it.parts[0].text for it in messages if it.author == "handlers/tree" and not it.aside
    ][:1]
    return text


@pytest.mark.parametrize(
    ("message", "grown", "turns"),
    [("3 20", "leaf", 1), ("2 3 20", "(leaf leaf)", 3), ("3 3 2 20", "((leaf leaf leaf)", 13)],
)
async def test_a_tree_grows(
    client: Client, worker: WorkerProcess, message: str, grown: str, turns: int
) -> None:
    conversation = await client.create_conversation()
    asked = (await client.dispatch(conversation.conversation_id, message, handler="tree")).turn
    done = await ended(client, asked)
    assert done.state == event_pb2.TURN_STATE_SUCCEEDED
    assert (await answer(client, conversation.conversation_id)).startswith(grown)
    all_turns = [it async for it in client.list_turns(conversation.conversation_id)]
    assert len(all_turns) == turns
    ids = {it.turn_id for it in all_turns}
    assert {it.parent_turn_id for it in all_turns} <= ids | {""}
    assert all(it.state == event_pb2.TURN_STATE_SUCCEEDED for it in all_turns)


async def test_no_tree_is_deeper_than_four(client: Client, worker: WorkerProcess) -> None:
    """Who asks for more is told so; nothing hangs."""
    conversation = await client.create_conversation()
    deep = "1 1 1 1 1 20"
    asked = (await client.dispatch(conversation.conversation_id, deep, handler="tree")).turn
    done = await ended(client, asked)
    assert done.state == event_pb2.TURN_STATE_SUCCEEDED
    assert "LIMIT_EXCEEDED" in await answer(client, conversation.conversation_id)


async def test_a_stop_reaches_the_leaves(client: Client, worker: WorkerProcess) -> None:
    conversation = await client.create_conversation()
    asked = (
        await client.dispatch(conversation.conversation_id, "3 3 2 60000", handler="tree")
    ).turn
    await until(lambda: len(worker.said("begun")) == 13)
    began = time.monotonic()
    await client.cancel_turn(conversation.conversation_id, asked.turn_id)
    await until(lambda: len(worker.said("stopped")) == 13)
    print(f"stopped within {time.monotonic() - began:.3f} s")

    async def all_have_ended() -> bool:
        turns = [it async for it in client.list_turns(conversation.conversation_id)]
        return all(it.state == event_pb2.TURN_STATE_CANCELLED for it in turns)

    await until_it(all_have_ended)


async def test_a_tree_outlives_its_server(
    server: ServerProcess, client: Client, worker: WorkerProcess
) -> None:
    """No turn begins twice, and all end."""
    conversation = await client.create_conversation()
    asked = (await client.dispatch(conversation.conversation_id, "3 3 2 4000", handler="tree")).turn
    await until(lambda: len(worker.said("begun")) == 13)
    await server.restart()
    done = await ended(client, asked)
    assert done.state == event_pb2.TURN_STATE_SUCCEEDED
    grown = "(leaf leaf leaf)"
    assert await answer(client, conversation.conversation_id) == f"({grown} {grown} {grown})"
    assert len(worker.said("begun")) == 13


async def test_a_tree_outlives_its_workers(
    server: ServerProcess, client: Client, worker: WorkerProcess, tmp_path: Path
) -> None:
    """The next attempts of those that were lost meet the children that they have asked for."""
    conversation = await client.create_conversation()
    asked = (await client.dispatch(conversation.conversation_id, "2 2 2 3000", handler="tree")).turn
    await until(lambda: len(worker.said("begun")) == 7)
    key = worker.variables["ANTIPHON_API_KEY"]
    async with WorkerProcess(server.address, key, tmp_path / "other.log", TREE):
        await worker.kill()
        done = await ended(client, asked)
    assert done.state == event_pb2.TURN_STATE_SUCCEEDED
    assert await answer(client, conversation.conversation_id) == "((leaf leaf) (leaf leaf))"
    turns = [it async for it in client.list_turns(conversation.conversation_id)]
    assert len(turns) == 7
