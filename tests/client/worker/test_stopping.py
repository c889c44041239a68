"""How a worker ends."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from antiphon.dispatcher.v1.worker_pb2 import Beat
from antiphon_client.worker import Work, Worker
from tests.client.worker.scripted import TURN, ScriptedServer, running, scripted_server
from tests.e2e.until import SOON_S, until

PROGRAM = Path(__file__).with_name("program.py")


def slow(worker: Worker) -> tuple[asyncio.Event, list[str]]:
    """A handler that works until it may go on; what became of it."""
    go_on, ends = asyncio.Event(), list[str]()

    @worker.handler("expert")
    async def expert(work: Work) -> None:
        await work.write("begun")
        try:
            await go_on.wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # cleaning up takes its time
            ends.append("cancelled")
            raise
        ends.append("done")

    return go_on, ends


async def test_a_worker_that_stops_brings_its_turns_to_an_end() -> None:
    """It says so, takes no more, and is gone as soon as all ends are stored."""
    async with scripted_server() as server:
        worker = server.worker(slots=2)
        go_on, ends = slow(worker)
        async with running(worker) as task:
            stream = await server.welcomed()
            await stream.assign()
            await stream.next("output")
            worker.stop()
            await stream.next("drain")
            await stream.assign(turn_id="turn_00000002")
            assert "about to stop" in (await stream.next("decline")).reason
            go_on.set()
            await stream.next("finish")
            await asyncio.sleep(0.1)
            assert not task.done()
            await stream.ack(1, finished=True)
            await asyncio.wait_for(task, 4)
        assert ends == ["done"]


async def test_what_takes_longer_is_given_back() -> None:
    """When the grace is over, handlers clean up and their turns go elsewhere."""
    async with scripted_server() as server:
        worker = server.worker()
        _, ends = slow(worker)
        async with running(worker) as task:
            stream = await server.welcomed()
            await stream.assign()
            await stream.next("output")
            worker.stop(0.2)
            await stream.next("drain")
            assert (await stream.next("decline")).reason == "this worker stops"
            await asyncio.wait_for(task, 4)
        assert ends == ["cancelled"]


async def test_it_drains_over_a_stream_that_breaks() -> None:
    """Its turns are held on the next one, which hears of the drain, too."""
    async with scripted_server() as server:
        worker = server.worker()
        go_on, _ = slow(worker)
        async with running(worker) as task:
            stream = await server.welcomed()
            await stream.assign()
            await stream.next("output")
            worker.stop()
            await stream.next("drain")
            stream.cut()
            stream = await server.welcomed()
            await stream.next("drain")
            await stream.assign(fence=2, held=True, sequence=1)
            go_on.set()
            await stream.next("finish")
            await stream.ack(1, fence=2, finished=True)
            await asyncio.wait_for(task, 4)


async def test_it_stops_where_no_server_is() -> None:
    """At once: it has nothing."""
    async with scripted_server() as server:
        worker = server.worker()
        slow(worker)
        async with running(worker) as task:
            await server.stream()  # and is not welcomed
            worker.stop()
            await asyncio.wait_for(task, 2)


async def test_who_is_cancelled_ends_at_once() -> None:
    """With its handlers, who clean up."""
    async with scripted_server() as server:
        worker = server.worker()
        _, ends = slow(worker)
        async with running(worker):
            stream = await server.welcomed()
            await stream.assign()
            await stream.next("output")
        assert ends == ["cancelled"]


async def test_what_can_not_work_is_said_at_once() -> None:
    """A worker without a handler, or without a key; two handlers of one name."""
    worker = Worker("expert", address="127.0.0.1:1")
    with pytest.raises(ValueError, match="needs a handler"):
        await worker.run()
    slow(worker)
    with pytest.raises(ValueError, match="ANTIPHON_API_KEY"):
        await worker.run()
    with pytest.raises(ValueError, match="two handlers 'expert'"):
        slow(worker)


@asynccontextmanager
async def program(server: ScriptedServer) -> AsyncIterator[asyncio.subprocess.Process]:
    """The worker of program.py, in a process of its own."""
    environment = {"ANTIPHON_ADDRESS": server.state.address, "ANTIPHON_API_KEY": "key"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROGRAM)),
        env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it(number: signal.Signals) -> None:
    """As a stop does; it logs out, and the process ends without a word."""
    async with scripted_server() as server, program(server) as process:
        stream = await server.welcomed()
        await stream.assign("0.3")
        await stream.next("output")
        process.send_signal(number)
        await stream.next("drain")
        await stream.next("finish")
        await stream.ack(1, finished=True)
        _, said = await asyncio.wait_for(process.communicate(), SOON_S)
        assert (process.returncode, said) == (0, b"")
        assert server.state.logouts == 1


async def test_a_second_signal_has_no_grace() -> None:
    """Nor does it need a kill."""
    async with scripted_server() as server, program(server) as process:
        stream = await server.welcomed()
        await stream.assign("600")
        await stream.next("output")
        process.send_signal(signal.SIGTERM)
        await stream.next("drain")
        process.send_signal(signal.SIGTERM)
        await stream.next("decline")
        assert await asyncio.wait_for(process.wait(), SOON_S) == 0


async def test_who_stood_still_for_longer_than_its_lease_says_nothing_more() -> None:
    """Of those turns, though the beat that named them has come meanwhile; others it takes."""
    async with scripted_server() as server, program(server) as process:
        stream = await server.welcomed(lease_s=1.5)
        await stream.assign("2")
        await stream.next("output")
        stream.beats, count = False, len(stream.heartbeats)
        await until(lambda: len(stream.heartbeats) > count)
        process.send_signal(signal.SIGSTOP)
        await stream.say(beat=Beat(turn_ids=[TURN]))
        await asyncio.sleep(2.5)
        process.send_signal(signal.SIGCONT)
        await stream.silence(1.0)
        stream.cut()
        stream = await server.welcomed()
        assert not stream.hello.held
        await stream.assign("0", turn_id="turn_00000002")
        assert (await stream.next("output")).turn_id == "turn_00000002"
