"""Workers that can't stream requests: they are told on a stream, and say by calls."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest_asyncio

from antiphon.dispatcher.v1 import worker_pb2
from antiphon.dispatcher.v1 import worker_service_pb2 as pb
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.dispatcher.v1.worker_service_pb2_grpc import WorkerServiceStub
from antiphon.events.v1 import event_pb2
from antiphon_client import Client
from tests.e2e.callers import channel_to
from tests.e2e.refusals import reason_in, refused
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S, SOON_S, until_it
from tests.mesh.grpc_web import GrpcWeb
from tests.proofs.bench.processes import free_port
from tests.workers.bare import finish, introduced, signed, text, token_of
from tests.workers.counting import ended, numbers
from tests.workers.processes import invited

SERVICE = "/antiphon.dispatcher.v1.WorkerService"


@dataclass(slots=True)
class Stage:
    """A server, its operator, and a program that may serve the handler `bare`."""

    server: ServerProcess
    client: Client
    channel: grpc.aio.Channel
    key: str

    async def metadata(self) -> tuple[tuple[str, str], ...]:
        """A token of a new session of the program's."""
        return signed(await token_of(self.channel, self.key))

    def opened(self, metadata: Any, hello: worker_pb2.Hello | None = None) -> Any:
        """A stream of its worker."""
        request = pb.OpenWorkRequest(hello=hello or introduced("bare"))
        return WorkerServiceStub(self.channel).OpenWork(request, metadata=metadata)

    async def update(
        self, metadata: Any, work_id: str, sequence: int, *frames: dict[str, Any]
    ) -> None:
        """Say something."""
        actions = [pb.WorkRequest(**it) for it in frames]
        request = pb.UpdateWorkRequest(work_id=work_id, sequence=sequence, actions=actions)
        stub = WorkerServiceStub(self.channel)
        await stub.UpdateWork(request, metadata=metadata, timeout=PATIENCE_S)


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with (
        ServerProcess(tmp_path / "server") as server,
        server.client() as client,
        channel_to(server) as channel,
    ):
        yield Stage(server, client, channel, await invited(server, "bare", "bare"))


async def _told(stream: Any, kind: str) -> Any:
    async with asyncio.timeout(SOON_S):
        while True:
            response = await stream.read()
            assert response is not grpc.aio.EOF
            assert not response.work_id or kind == "welcome"
            if response.frame.WhichOneof("frame") == kind:
                return response if kind == "welcome" else getattr(response.frame, kind)


async def _begun(client: Client) -> Turn:
    conversation = await client.create_conversation()
    return (await client.dispatch(conversation.conversation_id, "go", handler="bare")).turn


async def test_a_worker_says_by_calls(stage: Stage) -> None:
    """Each sequence once and in order; the first frame alone brings the stream's id."""
    metadata = await stage.metadata()
    stream = stage.opened(metadata)
    work_id = (await _told(stream, "welcome")).work_id
    turn = await _begun(stage.client)
    assign = await _told(stream, "assign")
    assert assign.turn_id == turn.turn_id
    await stage.update(metadata, work_id, 1, text(assign, 1, "one "), text(assign, 2, "two "))
    await stage.update(metadata, work_id, 1, text(assign, 3, "never"))
    late = stage.update(metadata, work_id, 3, text(assign, 3, "never"))
    assert await refused(late) == "INVALID_ARGUMENT"
    await stage.update(metadata, work_id, 2, {"heartbeat": worker_pb2.Heartbeat()})
    assert list((await _told(stream, "beat")).turn_ids) == []
    await stage.update(metadata, work_id, 3, text(assign, 4, "a gap"), text(assign, 3, "three"))
    rejected = await _told(stream, "rejected")
    assert (rejected.sequence, reason_in(rejected.error)) == (4, "INVALID_ARGUMENT")
    await stage.update(metadata, work_id, 4, finish(assign, 3))
    done = await ended(stage.client, turn)
    assert (done.state, done.attempt) == (event_pb2.TURN_STATE_SUCCEEDED, 1)
    assert await numbers(stage.client, turn.conversation_id) == ["one", "two", "three"]


async def test_of_a_call_that_breaks_a_rule_nothing_is_heard(stage: Stage) -> None:
    """It is refused whole, and its sequence is not used up."""
    metadata = await stage.metadata()
    stream = stage.opened(metadata)
    work_id = (await _told(stream, "welcome")).work_id
    beat = {"heartbeat": worker_pb2.Heartbeat()}
    bad = stage.update(metadata, work_id, 1, beat, {"accept": worker_pb2.Accept(turn_id="x")})
    assert await refused(bad) == "INVALID_ARGUMENT"
    await stage.update(metadata, work_id, 1, {"credit": worker_pb2.Credit(slots=7)})

    async def heard() -> bool:
        (worker,) = [it async for it in stage.client.list_workers("global")]
        return worker.slots == 7

    await until_it(heard)


async def test_a_stream_is_its_sessions_alone(stage: Stage) -> None:
    """Of another session of the same user, and of others, it is not there; nor when it has ended.

    A refreshed one is the new session's.
    """
    first, second = await stage.metadata(), await stage.metadata()
    other = signed(await token_of(stage.channel, await invited(stage.server, "bare", "other")))
    stream = stage.opened(first)
    work_id = (await _told(stream, "welcome")).work_id
    beat = {"heartbeat": worker_pb2.Heartbeat()}
    for whose in (second, other):
        assert await refused(stage.update(whose, work_id, 1, beat)) == "NOT_FOUND"
    token = second[0][1].removeprefix("Bearer ")
    refresh = {"refresh": worker_pb2.RefreshWorkerToken(access_token=token)}
    await stage.update(first, work_id, 1, refresh)
    assert await refused(stage.update(first, work_id, 2, beat)) == "NOT_FOUND"
    await stage.update(second, work_id, 2, beat)
    await _told(stream, "beat")
    stream.cancel()

    async def gone() -> bool:
        return not [it async for it in stage.client.list_workers("global")]

    await until_it(gone)
    assert await refused(stage.update(second, work_id, 3, beat)) == "NOT_FOUND"


async def test_a_second_hello_ends_it(stage: Stage) -> None:
    metadata = await stage.metadata()
    stream = stage.opened(metadata)
    work_id = (await _told(stream, "welcome")).work_id
    await stage.update(metadata, work_id, 1, {"hello": introduced("bare")})
    assert await refused(stream.read()) == "INVALID_ARGUMENT"


async def test_it_takes_the_place_of_the_earlier_stream(stage: Stage) -> None:
    """Opened again by the same worker, it goes on with what that holds: nothing begins anew."""
    metadata, hello = await stage.metadata(), introduced("bare")
    stream = stage.opened(metadata, hello)
    await _told(stream, "welcome")
    turn = await _begun(stage.client)
    assign = await _told(stream, "assign")
    hello.held.add(turn_id=turn.turn_id, conversation_id=turn.conversation_id, fence=1)
    again = stage.opened(metadata, hello)
    work_id = (await _told(again, "welcome")).work_id
    assert await refused(_told(stream, "never")) == "OVERLOADED"
    held = await _told(again, "assign")
    assert (held.held, held.fence) == (True, assign.fence)
    await stage.update(metadata, work_id, 1, text(held, 1, "done"), finish(held, 1))
    assert (await ended(stage.client, turn)).attempt == 1


async def test_browsers_can_be_workers(tmp_path: Path) -> None:
    """By grpc-web through the edge."""
    port = free_port()
    variables = {"ANTIPHON_WEB": "true", "ANTIPHON_WEB_PORT": str(port)}
    async with (
        ServerProcess(tmp_path / "server", variables=variables) as server,
        server.client() as client,
        channel_to(server) as channel,
        asyncio.timeout(PATIENCE_S),
    ):
        token = await token_of(channel, await invited(server, "bare", "bare"))
        request = pb.OpenWorkRequest(hello=introduced("bare"))
        async with (
            GrpcWeb(port, dict(signed(token))) as browser,
            browser.stream(f"{SERVICE}/OpenWork", request) as stream,
        ):

            async def frame() -> pb.OpenWorkResponse:
                return pb.OpenWorkResponse.FromString(await stream.read() or b"")

            work_id = (await frame()).work_id
            turn = await _begun(client)
            assign = (await frame()).frame.assign
            for number, said in enumerate((text(assign, 1, "hello"), finish(assign, 1)), 1):
                update = pb.UpdateWorkRequest(
                    work_id=work_id, sequence=number, actions=[pb.WorkRequest(**said)]
                )
                assert (await browser.unary(f"{SERVICE}/UpdateWork", update)).status == 0
            done = await ended(client, turn)
            assert (done.state, done.attempt) == (event_pb2.TURN_STATE_SUCCEEDED, 1)
            assert await numbers(client, turn.conversation_id) == ["hello"]
