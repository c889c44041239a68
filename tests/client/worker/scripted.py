"""The server's half of the Work stream, as a test says it, on a real port."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc

from antiphon.auth.v1 import auth_service_pb2_grpc
from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1.worker_pb2 import Ack, Assign, Beat, Hello, RefusedHandler, Welcome
from antiphon.dispatcher.v1.worker_service_pb2 import WorkRequest, WorkResponse
from antiphon_client.credentials import ApiKey, Credentials
from antiphon_client.worker import Worker
from tests.client.fake_server import KEY, Context, FakeAuth, FakeServer, refuse
from tests.e2e.until import SOON_S

# Any: they serve only what these tests call.
_FakeAuth: Any = FakeAuth
_ADD_AUTH: Any = auth_service_pb2_grpc.add_AuthServiceServicer_to_server
_SERVICE = "antiphon.dispatcher.v1.WorkerService"
TURN, CONVERSATION, WORKSPACE = "turn_00000001", "conv_00000001", "ws_00000001"


class Stream:
    """One stream of a worker, as the server sees it."""

    def __init__(self, context: Context, hello: Hello) -> None:
        self.hello = hello
        self.heartbeats: list[list[str]] = []
        self.beats = True
        self.said: asyncio.Queue[WorkRequest] = asyncio.Queue()
        self.context = context
        self._writing = asyncio.Lock()  # a test and the beats say one frame at a time
        self._cut = asyncio.Event()
        self._error = grpc.StatusCode.UNAVAILABLE, ""

    async def welcome(
        self,
        *,
        heartbeat_s: float = 0.1,
        lease_s: float = 20.0,
        window: int = 16,
        refused: RefusedHandler | None = None,
    ) -> None:
        welcome = Welcome(max_unacknowledged=window, refused=[refused] if refused else [])
        welcome.heartbeat.FromMilliseconds(int(heartbeat_s * 1000))
        welcome.lease.FromMilliseconds(int(lease_s * 1000))
        await self.say(welcome=welcome)

    async def say(self, **frame: Any) -> None:
        await self.write(WorkResponse(**frame))

    async def write(self, frame: WorkResponse) -> None:
        async with self._writing:
            await self.context.write(frame)

    async def assign(self, asked: str = "hello", /, **given: Any) -> Assign:
        fields: dict[str, Any] = {"turn_id": TURN, "fence": 1, "handler": "expert", **given}
        fields.setdefault("grant", "grant")
        assign = Assign(
            conversation_id=CONVERSATION,
            workspace_id=WORKSPACE,
            parts=[Part(text=asked)],
            message_id="msg_1",
            **fields,
        )
        await self.say(assign=assign)
        return assign

    async def ack(self, sequence: int, *, fence: int = 1, finished: bool = False) -> None:
        ack = Ack(turn_id=TURN, fence=fence, sequence=sequence, finished=finished)
        await self.say(ack=ack)

    async def next(self, kind: str) -> Any:
        """The next frame of that kind; none but acceptances may come before it."""
        async with asyncio.timeout(SOON_S):
            while (frame := await self.said.get()).WhichOneof("frame") != kind:
                assert frame.HasField("accept"), frame
        return getattr(frame, kind)

    async def silence(self, seconds: float) -> None:
        """Nothing but heartbeats and acceptances comes for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while (frame := await self.said.get()).HasField("accept"):
                    pass
                raise AssertionError(frame)

    def cut(self, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE, reason: str = "") -> None:
        self._error = code, reason
        self._cut.set()

    async def serve(self) -> None:
        """Until the worker has said all, or it is cut."""
        reading = asyncio.create_task(self._read())
        cutting = asyncio.create_task(self._cut.wait())
        await asyncio.wait({reading, cutting}, return_when=asyncio.FIRST_COMPLETED)
        reading.cancel()
        cutting.cancel()
        if self._cut.is_set():
            code, reason = self._error
            if reason:
                await refuse(self.context, code, reason)
            await self.context.abort(code, "cut")

    async def _read(self) -> None:
        while (frame := await self.context.read()) is not grpc.aio.EOF:
            if frame.HasField("heartbeat"):
                self.heartbeats.append(list(frame.heartbeat.turn_ids))
                if self.beats:
                    await self.say(beat=Beat(turn_ids=frame.heartbeat.turn_ids))
            else:
                self.said.put_nowait(frame)


class ScriptedServer:
    """Hands each stream to the test, in the order in which they come."""

    def __init__(self, state: FakeServer) -> None:
        self.state = state
        self.refusals: list[tuple[grpc.StatusCode, str]] = []  # of streams, the next one first
        self._streams: asyncio.Queue[Stream] = asyncio.Queue()

    async def Work(self, _: Any, context: Context) -> None:
        await self.state.check(context)
        hello = (await context.read()).hello
        if self.refusals:
            await refuse(context, *self.refusals.pop(0))
        stream = Stream(context, hello)
        self._streams.put_nowait(stream)
        await stream.serve()

    async def stream(self) -> Stream:
        """The next one, before it is welcomed."""
        async with asyncio.timeout(SOON_S):
            return await self._streams.get()

    async def welcomed(self, **terms: Any) -> Stream:
        stream = await self.stream()
        await stream.welcome(**terms)
        return stream

    def worker(self, credentials: Credentials | None = KEY, **options: Any) -> Worker:
        return Worker("expert", address=self.state.address, credentials=credentials, **options)


@asynccontextmanager
async def scripted_server(**knobs: Any) -> AsyncIterator[ScriptedServer]:
    """Run one on a port of its own."""
    state = FakeServer(**knobs)
    scripted = ScriptedServer(state)
    server = grpc.aio.server(options=[("grpc.http2.min_ping_interval_without_data_ms", 1000)])
    _ADD_AUTH(_FakeAuth(state), server)
    work: Any = grpc.stream_stream_rpc_method_handler(  # the one that is called
        scripted.Work, WorkRequest.FromString, WorkResponse.SerializeToString
    )
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(_SERVICE, {"Work": work}),)
    )
    state.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield scripted
    finally:
        await server.stop(None)


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator["asyncio.Task[None]"]:
    """The worker at work, until the block ends."""
    task = asyncio.create_task(worker.run(signals=False))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


__all__ = ["CONVERSATION", "TURN", "ApiKey", "ScriptedServer", "Stream", "running"]
