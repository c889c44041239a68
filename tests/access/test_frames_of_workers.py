"""Every frame of a worker's stream, said by everybody of a turn that another worker has."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
import pytest_asyncio

from antiphon.dispatcher.v1 import worker_pb2
from antiphon.dispatcher.v1 import worker_service_pb2 as pb
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.dispatcher.v1.worker_service_pb2_grpc import WorkerServiceStub
from antiphon.events.v1 import event_pb2
from antiphon_client import Client, Password
from tests.access.people import People, people
from tests.access.reading import IDENTITIES, YES, answers
from tests.e2e.callers import PASSWORD, channel_to
from tests.e2e.contracts import every_rpc
from tests.e2e.refusals import refused
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S
from tests.workers.bare import BareWorker, every_frame, finish, introduced, signed, text, token_of
from tests.workers.counting import ended, numbers
from tests.workers.processes import invited

pytestmark = pytest.mark.asyncio(loop_scope="module")
MINE, OTHERS = "mine", "theirs"


@dataclass(slots=True)
class Scene:
    """Everybody, and a worker that has a turn: how it is said of, and by which stream."""

    everybody: People
    client: Client
    other_key: str
    hello: worker_pb2.Hello
    metadata: Any
    stream: Any
    work_id: str = ""
    assign: Any = None
    sequence: int = 0
    saying: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def begin(self) -> None:
        """Have the worker assigned a turn of the owner's."""
        self.work_id = (await self.stream.read()).work_id
        conversation = await self.client.create_conversation()
        await self.client.dispatch(conversation.conversation_id, "go", handler=MINE)
        self.assign = (await self.stream.read()).frame.assign

    async def say(self, *frames: dict[str, Any]) -> None:
        """Say what its worker says."""
        async with self.saying:
            self.sequence += 1
            await self.updated(self.metadata, self.sequence, *frames)

    async def live(self) -> None:
        """Say that it lives, for ever."""
        beat = {"heartbeat": worker_pb2.Heartbeat(turn_ids=[self.assign.turn_id])}
        while True:
            await self.say(beat)
            await asyncio.sleep(1)

    def frames(self, hello: worker_pb2.Hello | None = None) -> dict[str, dict[str, Any]]:
        """All that may be said of the turn; in hello that it is one's own."""
        claims = hello or introduced(MINE, worker_id=self.hello.worker_id)
        about = {"turn_id": self.assign.turn_id, "conversation_id": self.assign.conversation_id}
        claims.held.add(fence=self.assign.fence, **about)
        return every_frame(self.assign, claims)

    async def updated(self, metadata: Any, sequence: int, *frames: dict[str, Any]) -> None:
        """Say it by a call."""
        actions = [pb.WorkRequest(**it) for it in frames]
        request = pb.UpdateWorkRequest(work_id=self.work_id, sequence=sequence, actions=actions)
        stub = WorkerServiceStub(self.everybody.channel)
        await stub.UpdateWork(request, metadata=metadata, timeout=PATIENCE_S)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """All of them on a server of their own."""
    async with (
        ServerProcess(tmp_path_factory.mktemp("frames")) as server,
        channel_to(server) as channel,
    ):
        everybody = await people(server, channel)
        keys = [await invited(server, it, it) for it in (MINE, OTHERS)]
        metadata = signed(await token_of(channel, keys[0]))
        hello = introduced(MINE)
        stub = WorkerServiceStub(channel)
        stream = stub.OpenWork(pb.OpenWorkRequest(hello=hello), metadata=metadata)
        async with Client.connect(server.address, Password("owner", PASSWORD)) as client:
            scene = Scene(everybody, client, keys[1], hello, metadata, stream)
            await scene.begin()
            living = asyncio.create_task(scene.live())
            yield scene
            living.cancel()
        assert server.defects == []


async def _came_of(channel: grpc.aio.Channel, token: str, frame: dict[str, Any]) -> str:
    """Why the frame ends a stream of which it is the first."""
    (work,) = [it for it in every_rpc() if it.method.name == "Work"]
    return await refused(work.call(channel, pb.WorkRequest(**frame), token))


@pytest.mark.parametrize("identity", list(IDENTITIES))
async def test_nobody_says_anything_of_it(scene: Scene, identity: str) -> None:
    """Neither on a stream of their own nor on the worker's."""
    token, channel = scene.everybody.tokens[identity], scene.everybody.channel
    for kind, frame in scene.frames().items():
        why = answers("WorkerService/Work")[identity]
        let_in = "HANDLER_NOT_ALLOWED" if kind == "hello" else "INVALID_ARGUMENT"
        came = await _came_of(channel, token, frame)
        assert came == (let_in if why == YES else why), kind
        why = answers("WorkerService/UpdateWork")[identity]
        came = await refused(scene.updated(signed(token), 1, frame))
        assert came == ("NOT_FOUND" if why == YES else why), kind


async def test_who_may_serve_another_handler_says_nothing_of_it(scene: Scene) -> None:
    """Neither by its name, nor by its own."""
    channel = scene.everybody.channel
    token = await token_of(channel, scene.other_key)
    for kind, frame in scene.frames().items():
        assert await refused(scene.updated(signed(token), 1, frame)) == "NOT_FOUND", kind
    by_its_name = introduced(OTHERS, worker_id=scene.hello.worker_id)
    frames = scene.frames(by_its_name)
    assert await _came_of(channel, token, frames["hello"]) == "ALREADY_EXISTS"
    own = introduced(OTHERS)
    frames = scene.frames(own)
    worker = BareWorker(channel, token)
    await worker.welcomed(own)
    revoke = await worker.told("revoke")
    assert revoke.reason == worker_pb2.REVOKE_REASON_FENCED
    for kind in ("accept", "decline", "output", "ask", "finish"):
        assert await worker.rejected(**frames[kind]) == "TURN_NOT_HELD", kind
    await worker.say(**frames["heartbeat"])
    assert list((await worker.told("beat")).turn_ids) == []
    worker.cut()


async def test_its_worker_goes_on(scene: Scene) -> None:
    """It has had the turn all the time, and what it says alone is stored."""
    it = scene.assign
    await scene.say(text(it, 1, "mine"), finish(it, 1))
    done = await ended(scene.client, Turn(turn_id=it.turn_id, conversation_id=it.conversation_id))
    assert (done.state, done.attempt) == (event_pb2.TURN_STATE_SUCCEEDED, 1)
    assert await numbers(scene.client, it.conversation_id) == ["mine"]
