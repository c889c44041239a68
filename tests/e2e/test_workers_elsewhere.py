"""Workers of one of two servers work on turns of both."""

import asyncio
import base64
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from antiphon.events.v1 import event_pb2
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import until, until_it
from tests.fakes.postgres import Postgres
from tests.fakes.proxy import Proxy
from tests.workers.counter import EXAMPLES
from tests.workers.counting import begun, counted, ended, numbers, says
from tests.workers.processes import WorkerProcess, invited

Two = tuple[ServerProcess, ServerProcess]
SLOW = {"name": "scripted/count", "kind": "scripted", "script": {"deltas": 80, "gap_ms": 100}}


@pytest_asyncio.fixture
async def two(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Two]:
    """Two servers on one store."""
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_DRAIN_GRACE_S": "12",
        "ANTIPHON_LEASE_S": "9",
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
    }
    first, second = (
        ServerProcess(tmp_path / it, variables=variables, models=[SLOW]) for it in "ab"
    )
    async with all_of([first, second]):
        yield first, second
        assert first.defects == second.defects == []


async def test_a_turn_finds_a_worker_of_another_server(two: Two, tmp_path: Path) -> None:
    """What it says is stored where the turn is, and a stop there reaches it."""
    first, second = two
    key = await invited(first, "counter")
    async with (
        first.client() as client,
        WorkerProcess(second.address, key, tmp_path / "worker.log") as worker,
    ):
        turn = await begun(client, "50 10")
        done = await ended(client, turn)
        assert (done.state, done.attempt) == (event_pb2.TURN_STATE_SUCCEEDED, 1)
        assert await numbers(client, turn.conversation_id) == counted(50)
        (listed,) = [it async for it in client.list_workers("global")]
        assert (listed.deployment, listed.finished_turns) == ("counter", 1)
        longer = await begun(client, "600 20")
        await says(client, longer, 5)
        await client.cancel_turn(longer.conversation_id, longer.turn_id)
        await until(lambda: bool(worker.said("stopped")))


async def test_what_a_worker_says_of_its_handler_is_listed_by_both_servers(
    two: Two, tmp_path: Path
) -> None:
    """While it is there, and its name alone when it has gone."""
    key = await invited(two[0], "counter")

    async def both_list(*examples: str) -> bool:
        listed = []
        for server in two:
            async with server.client(two[0].key) as client:
                listed += [it async for it in client.list_handlers() if it.name == "counter"]
        return [tuple(it.examples) for it in listed] == [examples] * 2

    async with WorkerProcess(two[1].address, key, tmp_path / "worker.log"):
        await until_it(lambda: both_list(*EXAMPLES))
    await until_it(lambda: both_list())


async def test_who_knows_the_conversation_is_preferred_at_another_server(
    two: Two, tmp_path: Path
) -> None:
    """To one that is nearer, and has room."""
    first, second = two
    key = await invited(first, "counter")
    logs = tmp_path / "known.log", tmp_path / "near.log"
    async with first.client() as client, WorkerProcess(second.address, key, logs[0]) as known:
        turn = await begun(client, "3 1")
        await ended(client, turn)
        async with WorkerProcess(first.address, key, logs[1]) as near:
            await until(lambda: any("connected" in it for it in near.said("stream")))
            for _ in range(3):
                again = await client.dispatch(turn.conversation_id, "3 1", handler="counter")
                await ended(client, again.turn)
            assert (len(known.said("begun")), len(near.said("begun"))) == (4, 0)
            await ended(client, await begun(client, "3 1"))
            assert (len(known.said("begun")), len(near.said("begun"))) == (4, 1)


async def test_a_turn_goes_on_at_its_worker_when_its_server_dies(two: Two, tmp_path: Path) -> None:
    """The server takes the turn over to which the worker has dialled in: nothing begins anew."""
    first, second = two
    key = await invited(first, "counter")
    async with WorkerProcess(second.address, key, tmp_path / "worker.log") as worker:
        async with first.client() as client:
            turn = await begun(client, "100 100")
            await says(client, turn, 5)
        await first.kill()
        async with second.client(first.key) as client:
            done = await ended(client, turn)
            assert (done.state, done.attempt) == (event_pb2.TURN_STATE_SUCCEEDED, 2)
            assert await numbers(client, turn.conversation_id) == counted(100)
        assert len(worker.said("begun")) == 1


async def test_a_turn_goes_on_at_its_worker_when_its_server_stands_still(
    two: Two, tmp_path: Path
) -> None:
    """Others have it when that one's lease has run out: the worker, which is back, keeps it."""
    first, second = two
    key = await invited(first, "counter")
    async with (
        Proxy(first.port) as proxy,
        WorkerProcess(proxy.address, key, tmp_path / "worker.log") as worker,
    ):
        async with first.client() as client:
            turn = await begun(client, "150 100")
            await says(client, turn, 5)
        first.signal(signal.SIGSTOP)
        try:
            proxy.retarget(second.port)
            proxy.cut()
            async with second.client(first.key) as client:
                done = await ended(client, turn)
                assert done.state == event_pb2.TURN_STATE_SUCCEEDED
                assert await numbers(client, turn.conversation_id) == counted(150)
            assert len(worker.said("begun")) == 1
        finally:
            first.signal(signal.SIGCONT)


async def test_a_server_that_stops_lets_workers_go_last(two: Two, tmp_path: Path) -> None:
    """While answers of models have their time to end: meanwhile what workers say is heard."""
    first, second = two
    key = await invited(first, "counter")
    async with (
        Proxy(first.port) as proxy,
        WorkerProcess(proxy.address, key, tmp_path / "worker.log") as worker,
    ):
        async with first.client() as client:
            turn = await begun(client, "200 100")
            await says(client, turn, 5)
            conversation = await client.create_conversation()
            answer = (await client.dispatch(conversation.conversation_id, "count")).turn
        proxy.retarget(second.port)
        stopping = asyncio.create_task(first.terminate())
        async with second.client(first.key) as client:
            await says(client, turn, 35)
            assert not stopping.done()
            assert await stopping == 0
            assert (await ended(client, answer)).state == event_pb2.TURN_STATE_SUCCEEDED
            done = await ended(client, turn)
            assert done.state == event_pb2.TURN_STATE_SUCCEEDED
            assert await numbers(client, turn.conversation_id) == counted(200)
        assert len(worker.said("begun")) == 1
        await first.start()


async def test_a_turn_outlives_the_server_that_its_worker_is_at(two: Two, tmp_path: Path) -> None:
    """The worker is back within the time that it has: nothing begins anew."""
    first, second = two
    key = await invited(first, "counter")
    async with (
        first.client() as client,
        WorkerProcess(second.address, key, tmp_path / "worker.log") as worker,
    ):
        turn = await begun(client, "100 100")
        await says(client, turn, 5)
        await second.restart()
        done = await ended(client, turn)
        assert (done.state, done.attempt) == (event_pb2.TURN_STATE_SUCCEEDED, 1)
        assert await numbers(client, turn.conversation_id) == counted(100)
        assert len(worker.said("begun")) == 1
