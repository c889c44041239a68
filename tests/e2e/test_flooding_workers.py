"""Workers that say too much, and what is no frame: their streams end, and nobody else's."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import psutil
import pytest
import pytest_asyncio

from antiphon.dispatcher.v1 import worker_pb2
from antiphon.dispatcher.v1 import worker_service_pb2 as pb
from tests.e2e.contracts import LOST_OUTCOME
from tests.e2e.refusals import reason_of
from tests.e2e.until import SOON_S, until_it
from tests.workers.bare import finish, introduced, signed, text
from tests.workers.staged import Stage, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORK = "/antiphon.dispatcher.v1.WorkerService/Work"
MIB = 1024 * 1024
FRAMES = 100_000
MOST_MIB = 64


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("floods")) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def stage(whole: Stage) -> AsyncIterator[Stage]:
    async with whole.bystanders():
        yield whole


def _raw(stage: Stage, token: str) -> Any:
    """A stream of bytes, which need be no frames."""
    return stage.channel.stream_stream(WORK)(metadata=signed(token))


async def _end_of(stream: Any) -> str:
    try:
        async with asyncio.timeout(SOON_S):
            while await stream.read() is not grpc.aio.EOF:
                pass
    except grpc.aio.AioRpcError as error:
        return LOST_OUTCOME if error.details() == LOST_OUTCOME else reason_of(error)
    return ""


async def test_what_is_no_frame(stage: Stage) -> None:
    """Text that is no UTF-8, and bytes that are nothing, end the stream."""
    hello = pb.WorkRequest(hello=introduced("bad")).SerializeToString()
    said = pb.WorkRequest(accept=worker_pb2.Accept(turn_id="turn_unknown-0001", fence=1))
    no_text = said.SerializeToString().replace(b"turn_unknown", b"turn_\xff\xfeknown")
    for wrong in (no_text, b"\xff\xff\xff\xff", b"\x0a\xff"):
        stream = _raw(stage, await stage.token())
        await stream.write(hello)
        await stream.read()
        await stream.write(wrong)
        assert await _end_of(stream) == "INVALID_ARGUMENT"


async def test_frames_of_megabytes(stage: Stage) -> None:
    """One that a message may have is rejected; of a larger one, the stream ends."""
    worker = await stage.worker()
    assign = await stage.assigned(worker)
    assert await worker.rejected(**text(assign, 1, "x" * (MIB - 1000))) == "INVALID_ARGUMENT"
    await worker.say(**finish(assign, 0))
    assert await stage.done(assign) == ("SUCCEEDED", 1, [])
    await worker.say(**text(assign, 1, "x" * 5 * MIB))
    assert await worker.ended() == "LIMIT_EXCEEDED"


async def test_who_is_rejected_and_does_not_read(stage: Stage) -> None:
    """What waits for it is bounded: it loses its stream, and the server no memory."""
    server = psutil.Process(stage.server.pid)
    hello = introduced("bad")
    stream = _raw(stage, await stage.token())
    await stream.write(pb.WorkRequest(hello=hello).SerializeToString())
    await stream.read()
    about = worker_pb2.Accept(turn_id="turn_" + "x" * 64, fence=1)
    wrong = pb.WorkRequest(accept=about).SerializeToString()
    before = server.memory_info().rss

    async def flood() -> None:
        for _ in range(FRAMES):
            await stream.write(wrong)

    flooding = asyncio.create_task(flood())

    async def gone() -> bool:
        there = [it async for it in stage.client.list_workers("global")]
        return hello.worker_id not in {it.worker_id for it in there}

    await until_it(gone)
    grown = (server.memory_info().rss - before) / MIB
    print(f"the server has grown by {grown:.1f} MiB")
    assert grown < MOST_MIB
    assert await _end_of(stream) in ("OVERLOADED", LOST_OUTCOME)
    await asyncio.gather(flooding, return_exceptions=True)
