"""A stream that is refused while the server writes to it is ended all the same."""

import asyncio

import pytest
from google.protobuf.message import Message
from hyperframe.frame import DataFrame

from antiphon.dispatcher.v1 import dispatcher_service_pb2 as dispatcher
from antiphon.events.v1 import event_service_pb2 as events
from antiphon.events.v1.stream_pb2 import Watch
from tests.e2e.callers import Caller
from tests.e2e.server import ServerProcess
from tests.proofs.wire.raw import begun, grpc_frame, request_headers, window

pytestmark = pytest.mark.asyncio(loop_scope="module")
INITIAL_WINDOW_SIZE = 4
INVALID_ARGUMENT = 3
BEHIND_S = 0.1
"""For what the server does behind a closed window. On a slow machine both arrive all the same."""


PATHS = ("events.v1.EventService/Subscribe", "dispatcher.v1.DispatcherService/Converse")


@pytest.mark.parametrize("path", PATHS)
async def test_refused_in_the_midst_of_the_first_write(
    server: ServerProcess, boss: Caller, path: str
) -> None:
    """Garbage behind a valid request, while the first answer can't be sent yet: both arrive."""
    watch = Watch(watch_id="w", scope=f"conversations/{boss.known['conv']}")
    request: Message = events.SubscribeRequest(create=watch)
    if "Converse" in path:
        request = dispatcher.ConverseRequest(subscribe=watch)
    async with begun(server.port, {INITIAL_WINDOW_SIZE: 0}) as raw:
        await raw.send(
            raw.headers(1, request_headers(f"/antiphon.{path}", token=boss.token)),
            DataFrame(1, grpc_frame(request.SerializeToString())),
        )
        assert await raw.until(lambda: raw.of(1).http is not None, 10)
        await asyncio.sleep(BEHIND_S)
        await raw.send(DataFrame(1, grpc_frame(b"\xff\xff\xff")))
        await asyncio.sleep(BEHIND_S)
        await raw.send(window(1, 1 << 20))
        came = await raw.refused(5)
    assert came.status == INVALID_ARGUMENT
    assert came.messages >= 1  # what happens there meanwhile may come, too
