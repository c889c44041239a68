"""Workers as processes of their own: what they say is stored once, whoever dies in the middle."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from antiphon.dispatcher.v1 import worker_service_pb2 as pb
from antiphon.events.v1 import event_pb2
from antiphon_client import Client
from tests.e2e.server import ServerProcess
from tests.e2e.until import until
from tests.workers.counting import begun, counted, ended, numbers, says
from tests.workers.processes import WorkerProcess, invited


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path / "server") as server:
        yield server


@pytest_asyncio.fixture
async def client(server: ServerProcess) -> AsyncIterator[Client]:
    async with server.client() as client:
        yield client


async def test_a_turn_is_worked_on_elsewhere(
    server: ServerProcess, client: Client, tmp_path: Path
) -> None:
    """It is listed while it works, and what it says is the answer."""
    key = await invited(server, "counter")
    async with WorkerProcess(server.address, key, tmp_path / "worker.log"):
        turn = await begun(client, "50 10")
        await says(client, turn, 5)
        (worker,) = [it async for it in client.list_workers("global")]
        assert (worker.turns, worker.slots, worker.state) == (1, 100, pb.WORKER_STATE_READY)
        done = await ended(client, turn)
        assert (done.state, done.attempt) == (event_pb2.TURN_STATE_SUCCEEDED, 1)
        assert await numbers(client, turn.conversation_id) == counted(50)


async def test_a_worker_that_dies_is_followed_by_another(
    server: ServerProcess, client: Client, tmp_path: Path
) -> None:
    """The next attempt goes on behind what is stored."""
    key = await invited(server, "counter")
    first = WorkerProcess(server.address, key, tmp_path / "first.log")
    second = WorkerProcess(server.address, key, tmp_path / "second.log")
    async with first:
        turn = await begun(client, "60 50")
        await says(client, turn, 5)
        async with second:
            await first.kill()
            done = await ended(client, turn)
    assert (done.state, done.attempt) == (event_pb2.TURN_STATE_SUCCEEDED, 2)
    assert await numbers(client, turn.conversation_id) == counted(60)
    ((_, _, attempt, *_),) = second.said("begun")
    assert attempt == "2"


async def test_a_worker_outlives_its_server(
    server: ServerProcess, client: Client, tmp_path: Path
) -> None:
    """It goes on with what it has begun when the server is there again: nothing begins anew."""
    key = await invited(server, "counter")
    async with WorkerProcess(server.address, key, tmp_path / "worker.log") as worker:
        turn = await begun(client, "60 50")
        await says(client, turn, 5)
        await server.restart()
        done = await ended(client, turn)
        assert done.state == event_pb2.TURN_STATE_SUCCEEDED
        assert await numbers(client, turn.conversation_id) == counted(60)
        assert len(worker.said("begun")) == 1


async def test_a_clean_stop_of_the_server_is_outlived_too(
    server: ServerProcess, client: Client, tmp_path: Path
) -> None:
    key = await invited(server, "counter")
    async with WorkerProcess(server.address, key, tmp_path / "worker.log") as worker:
        turn = await begun(client, "80 50")
        await says(client, turn, 5)
        await server.terminate()
        await server.start()
        done = await ended(client, turn)
        assert done.state == event_pb2.TURN_STATE_SUCCEEDED
        assert await numbers(client, turn.conversation_id) == counted(80)
        assert len(worker.said("begun")) == 1


async def test_a_stop_reaches_the_worker(
    server: ServerProcess, client: Client, tmp_path: Path
) -> None:
    """Its handler is cancelled, and what is stored is what was delivered."""
    key = await invited(server, "counter")
    async with WorkerProcess(server.address, key, tmp_path / "worker.log") as worker:
        turn = await begun(client, "600 20")
        await says(client, turn, 5)
        done = await client.cancel_turn(turn.conversation_id, turn.turn_id)
        assert done.state == event_pb2.TURN_STATE_CANCELLED
        await until(lambda: bool(worker.said("stopped")))
        said = await numbers(client, turn.conversation_id)
        assert said == counted(len(said))


async def test_a_worker_that_stands_still_loses_its_turn(
    server: ServerProcess, client: Client, tmp_path: Path
) -> None:
    """Past its lease another one goes on; when it wakes up, nothing of what it says is stored."""
    key = await invited(server, "counter")
    first = WorkerProcess(server.address, key, tmp_path / "first.log")
    second = WorkerProcess(server.address, key, tmp_path / "second.log")
    async with first:
        turn = await begun(client, "40 50")
        await says(client, turn, 5)
        async with second:
            first.signal(signal.SIGSTOP)
            done = await ended(client, turn)
            first.signal(signal.SIGCONT)
            await until(lambda: bool(first.said("stopped")))
    assert (done.state, done.attempt) == (event_pb2.TURN_STATE_SUCCEEDED, 2)
    assert await numbers(client, turn.conversation_id) == counted(40)


async def test_who_is_forbidden_has_no_turns_any_more(
    server: ServerProcess, client: Client, tmp_path: Path
) -> None:
    """At once: the turn goes on elsewhere."""
    key = await invited(server, "counter")
    other = await invited(server, "counter", "other")
    async with WorkerProcess(server.address, key, tmp_path / "first.log") as first:
        turn = await begun(client, "60 50")
        await says(client, turn, 5)
        async with WorkerProcess(server.address, other, tmp_path / "second.log"):
            user = await client.get_user("counting")
            await client.forbid_worker("global", "counter", user.user_id)
            done = await ended(client, turn)
            assert (done.state, done.attempt) == (event_pb2.TURN_STATE_SUCCEEDED, 2)
            assert await numbers(client, turn.conversation_id) == counted(60)
            assert first.said("stopped")


@pytest.mark.parametrize("handler", ["counter", "nobody"])
async def test_a_handler_that_nobody_may_serve_is_not_there(client: Client, handler: str) -> None:
    conversation = await client.create_conversation()
    with pytest.raises(Exception, match="HANDLER_NOT_FOUND"):
        await client.dispatch(conversation.conversation_id, "1 1", handler=handler)
