"""What a worker says by calls reaches its stream whichever of several servers they are made at."""

import asyncio
import base64
import os
from pathlib import Path
from typing import Any

import grpc

from antiphon.dispatcher.v1 import worker_service_pb2 as pb
from antiphon.dispatcher.v1.worker_service_pb2_grpc import WorkerServiceStub
from antiphon.events.v1 import event_pb2
from tests.e2e.callers import channel_to
from tests.e2e.process import all_of
from tests.e2e.refusals import refused
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S
from tests.fakes.postgres import Postgres
from tests.workers.bare import finish, introduced, signed, text, token_of
from tests.workers.counting import ended, numbers
from tests.workers.processes import invited


async def test_calls_go_where_the_stream_is(postgres: Postgres, tmp_path: Path) -> None:
    """In order and once, for its session alone; of a server that has stopped there is no stream."""
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
        "ANTIPHON_LEASE_S": "2.0",
    }
    first, second = (ServerProcess(tmp_path / it, variables=variables) for it in "ab")
    async with (
        all_of([first, second]),
        second.client() as client,
        channel_to(first) as here,
        channel_to(second) as there,
    ):
        key = await invited(first, "bare", "bare")
        metadata, others = await _both(there, key)
        request = pb.OpenWorkRequest(hello=introduced("bare"))
        stream: Any = WorkerServiceStub(here).OpenWork(request, metadata=metadata)
        work_id = (await stream.read()).work_id

        async def update(number: int, *said: dict[str, Any], whose: Any = metadata) -> None:
            actions = [pb.WorkRequest(**it) for it in said]
            asked = pb.UpdateWorkRequest(work_id=work_id, sequence=number, actions=actions)
            stub = WorkerServiceStub(there)
            await stub.UpdateWork(asked, metadata=whose, timeout=PATIENCE_S)

        conversation = await client.create_conversation()
        dispatched = await client.dispatch(conversation.conversation_id, "go", handler="bare")
        assign = (await stream.read()).frame.assign
        one, two = text(assign, 1, "one "), text(assign, 2, "two")
        assert await refused(update(1, one, whose=others)) == "NOT_FOUND"
        await update(1, one)
        await update(1, one)
        assert await refused(update(3, two)) == "INVALID_ARGUMENT"
        await update(2, two, finish(assign, 2))
        done = await ended(client, dispatched.turn)
        assert (done.state, done.attempt) == (event_pb2.TURN_STATE_SUCCEEDED, 1)
        assert await numbers(client, conversation.conversation_id) == ["one", "two"]
        stopping = asyncio.create_task(first.terminate())
        assert await refused(_end_of(stream)) == "DRAINING"
        await stopping
        assert await refused(update(3, two)) in ("NOT_FOUND", "DRAINING")


async def _both(channel: grpc.aio.Channel, key: str) -> tuple[Any, Any]:
    return signed(await token_of(channel, key)), signed(await token_of(channel, key))


async def _end_of(stream: Any) -> None:
    while await stream.read() is not grpc.aio.EOF:
        pass
