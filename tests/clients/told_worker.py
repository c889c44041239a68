"""A server that says to a worker what a test tells it to, and hears what that answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from google.protobuf.duration_pb2 import Duration

from antiphon.auth.v1 import auth_service_pb2
from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1 import worker_pb2
from antiphon.dispatcher.v1.worker_service_pb2 import WorkRequest, WorkResponse
from tests.e2e.until import PATIENCE_S

Stream = grpc.aio.ServicerContext[WorkRequest, WorkResponse]
TURN = "turn_00000001"


async def _login(request: object, context: object) -> auth_service_pb2.LoginResponse:
    """Let everybody in for an hour, by a token that says nothing."""
    response = auth_service_pb2.LoginResponse()
    response.tokens.access_token = "token"
    response.tokens.access_expire_time.GetCurrentTime()
    response.tokens.access_expire_time.seconds += 3600
    return response


class TellingServer:
    """``address`` is where a worker dials in; ``beats`` whether its heartbeats are answered."""

    def __init__(self) -> None:
        self.address = ""
        self.beats = True
        self._heard: asyncio.Queue[WorkRequest] = asyncio.Queue()
        self._stream: Stream | None = None

    async def work(self, requests: object, context: Stream) -> None:
        """Hear a stream until it breaks."""
        self._stream = context
        while isinstance(request := await context.read(), WorkRequest):
            if request.HasField("heartbeat") and self.beats:
                beat = worker_pb2.Beat(turn_ids=request.heartbeat.turn_ids)
                await context.write(WorkResponse(beat=beat))
            self._heard.put_nowait(request)

    async def tell(self, frame: WorkResponse) -> None:
        """Say that on the newest stream."""
        assert self._stream is not None
        await self._stream.write(frame)

    async def hears(self, field: str) -> WorkRequest:
        """The next frame of that kind; those before it are dropped."""
        async with asyncio.timeout(PATIENCE_S):
            while not (request := await self._heard.get()).HasField(field):  # type: ignore[arg-type]
                pass
            return request

    async def welcome(self, lease_s: int = 8) -> WorkRequest:
        """Answer the next hello."""
        hello = await self.hears("hello")
        terms = worker_pb2.Welcome(heartbeat=Duration(nanos=200_000_000), max_unacknowledged=64)
        terms.lease.seconds = lease_s
        await self.tell(WorkResponse(welcome=terms))
        return hello

    async def assign(self, handler: str, text: str) -> None:
        """Give the worker a turn."""
        turn = worker_pb2.Assign(turn_id=TURN, conversation_id="conv_00000001", fence=1)
        turn.handler = handler
        turn.parts.append(Part(text=text))
        await self.tell(WorkResponse(assign=turn))


@asynccontextmanager
async def telling_server() -> AsyncIterator[TellingServer]:
    """Provide one for the duration of the block."""
    server, told = grpc.aio.server(), TellingServer()
    login = grpc.unary_unary_rpc_method_handler(
        _login,
        auth_service_pb2.LoginRequest.FromString,
        auth_service_pb2.LoginResponse.SerializeToString,
    )
    work = grpc.stream_stream_rpc_method_handler(
        told.work,
        WorkRequest.FromString,
        WorkResponse.SerializeToString,
    )
    for service, handlers in (
        ("antiphon.auth.v1.AuthService", {"Login": login}),
        ("antiphon.dispatcher.v1.WorkerService", {"Work": work}),
    ):
        named = grpc.method_handlers_generic_handler(service, handlers)
        server.add_generic_rpc_handlers((named,))
    told.address = f"localhost:{server.add_insecure_port('localhost:0')}"
    await server.start()
    try:
        yield told
    finally:
        await server.stop(None)
