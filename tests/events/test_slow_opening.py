"""A stream that is slow to open is reached by what happens before it has opened."""

from typing import Any

import grpc
import pytest

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import stream_pb2
from antiphon.events.v1.event_service_pb2_grpc import (
    EventServiceStub,
    add_EventServiceServicer_to_server,
)
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import AccessChange
from antiphon_server.events.ports import LogStore
from antiphon_server.events.servicer import EventServicer
from antiphon_server.events.subscriptions import Subscriptions
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.rpc.interceptors.caller import CallerInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from tests.events.world import ANNA, SCOPE, Gate
from tests.fakes.slow_opening import SlowOpening

WATCH = stream_pb2.Watch(watch_id="w", scope=SCOPE)


def follow(stub: Any) -> Any:
    return stub.Follow(pb.FollowRequest(watches=[WATCH]))


def subscribe(stub: Any) -> Any:
    return stub.Subscribe(iter([pb.SubscribeRequest(create=WATCH)]))


@pytest.mark.parametrize("begin", [follow, subscribe])
async def test_a_session_that_ends_while_its_stream_opens_ends_the_stream(
    store: LogStore, begin: Any
) -> None:
    """Whoever logs out before the stream could open gets the reason on it, and no event."""
    slow, subscriptions = SlowOpening(), Subscriptions(Gate(), Shares())
    table = LocalServer([ErrorInterceptor(), CallerInterceptor(ANNA), slow])
    servicer = EventServicer(EventLog(store), subscriptions)
    add_EventServiceServicer_to_server(servicer, table)
    call = begin(EventServiceStub(table.channel()))
    await slow.held.wait()
    subscriptions.access_changed(AccessChange(session_id=ANNA.session_id))
    slow.go.set()
    frames = [frame async for frame in call]
    assert frames[-1].ended.reason == stream_pb2.CLOSE_REASON_SESSION_ENDED
    assert not any(frame.HasField("batch") for frame in frames)
    assert await call.code() is grpc.StatusCode.OK
