"""Bad workers at one of two servers, and turns of the other: as if there were one server."""

import base64
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest_asyncio

from antiphon.dispatcher.v1 import worker_pb2
from tests.e2e.callers import channel_to
from tests.e2e.process import all_of
from tests.e2e.refusals import reason_in
from tests.e2e.server import ServerProcess
from tests.fakes.postgres import Postgres
from tests.workers.bare import (
    BareWorker,
    finish,
    frames_about,
    introduced,
    question,
    text,
    token_of,
)
from tests.workers.processes import WorkerProcess, invited
from tests.workers.staged import Stage

Stages = tuple[Stage, Stage]


@pytest_asyncio.fixture
async def stages(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Stages]:
    """Two servers on one store. The good worker is at the second, its turns are the first's."""
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
    }
    first, second = (ServerProcess(tmp_path / it, variables=variables) for it in "ab")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(all_of([first, second]))
        client = await stack.enter_async_context(first.client())
        keys = {it: await invited(first, it, it) for it in ("bad", "other", "counter")}
        good = WorkerProcess(second.address, keys["counter"], tmp_path / "worker.log")
        await stack.enter_async_context(good)
        here, there = [
            Stage(it, client, await stack.enter_async_context(channel_to(it)), keys)
            for it in (first, second)
        ]
        async with here.bystanders():
            yield here, there
            for worker in there.open:
                worker.cut()
        assert first.defects == second.defects == []


async def test_what_it_says_there(stages: Stages) -> None:
    """By other fences, out of order, too much, and behind the end: as if it were here."""
    here, there = stages
    worker = await there.worker()
    assign = await here.assigned(worker)
    for fence in (2, 99):
        other = worker_pb2.Assign(turn_id=assign.turn_id, fence=fence)
        for kind, frame in frames_about(other).items():
            assert await worker.rejected(**frame) == "TURN_NOT_HELD", kind
    assert await worker.rejected(**text(assign, 2, "gap")) == "INVALID_ARGUMENT"
    assert await worker.rejected(**finish(assign, 7)) == "INVALID_ARGUMENT"
    await worker.say(**text(assign, 1, "one"))
    beats = worker_pb2.Heartbeat(turn_ids=[assign.turn_id] * 1000)
    for _ in range(100):
        await worker.say(heartbeat=beats)
        assert list((await worker.told("beat")).turn_ids) == [assign.turn_id]
    for number in range(1, 1000):
        await worker.say(**question(assign, number))
    assert reason_in((await worker.told("rejected")).error) == "LIMIT_EXCEEDED"
    await here.client.cancel_turn(assign.conversation_id, assign.turn_id)
    await worker.told("cancel")
    assert await here.done(assign) == ("CANCELLED", 1, ["one"])
    assert await worker.rejected(accept=frames_about(assign)["accept"]["accept"])


async def test_it_may_not_be_another_there(stages: Stages) -> None:
    """Who goes by the name of a worker of the other server's gets none of its turns."""
    here, there = stages
    hello = introduced("other")
    owner = await here.worker("other", hello=hello)
    assign = await here.assigned(owner, "other")
    for claims in (False, True):
        name = introduced("bad", worker_id=hello.worker_id)
        if claims:
            about = {"turn_id": assign.turn_id, "conversation_id": assign.conversation_id}
            name.held.add(fence=1, **about)
        thief = BareWorker(there.channel, await token_of(there.channel, there.keys["bad"]))
        await thief.welcomed(name)
        if claims:
            assert (await thief.told("revoke")).reason == worker_pb2.REVOKE_REASON_FENCED
        assert await thief.rejected(**text(assign, 1, "stolen")) == "TURN_NOT_HELD"
        thief.cut()
    await owner.say(**text(assign, 1, "mine"))
    await owner.say(**finish(assign, 1))
    assert await here.done(assign) == ("SUCCEEDED", 1, ["mine"])
