"""A log keeps and delivers what it does not understand as it came."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from antiphon.events.v1 import event_pb2, stream_pb2
from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1.event_service_pb2_grpc import (
    EventServiceStub,
    add_EventServiceServicer_to_server,
)
from antiphon_server.events.adapters import bus_wire
from antiphon_server.events.encoding import PAYLOADS, FrameEncoder, action_of, new_event
from antiphon_server.events.frames import Ephemeral
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import Commit, Cursor, Epoch, Offset
from antiphon_server.events.ports import LogStore
from antiphon_server.events.servicer import EventServicer
from antiphon_server.events.subscriptions import Subscriptions
from antiphon_server.events.wire import placed
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.rpc.interceptors.caller import CallerInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from tests.e2e.refusals import Refused
from tests.events.world import SCOPE, Gate
from tests.fakes.newer import NUMBER, newer
from tests.runtime.events_service import on_a_port

SERVICE = Principal("service", UserId("dispatcher"), SessionId(""))
TURN = "turn_00000001"


@pytest.fixture
async def channel(log: EventLog) -> AsyncIterator[grpc.aio.Channel]:
    """To a log behind a port, for another service of the installation."""
    guards = [ErrorInterceptor(), CallerInterceptor(SERVICE), ValidationInterceptor()]
    table = LocalServer(guards)
    add_EventServiceServicer_to_server(EventServicer(log, Subscriptions(Gate(), Shares())), table)
    async with on_a_port(table) as channel:
        yield channel


def appended() -> Any:
    """What a newer service appends: of a known kind with more in it, and of a kind to come."""
    request = newer("events.v1.AppendRequest")(scope=SCOPE, newer="of the request")
    posted = request.events.add(actor="users/user_x", turn_id=TURN)
    posted.message_posted.newer = "of the payload"
    posted.message_posted.message.newer = "of the message"
    posted.message_posted.message.parts.add().newer.text = "of the part"
    request.events.add(text_delta_appended={"text": "a"}, turn_id=TURN)
    request.events.add(actor="handlers/newer", turn_id=TURN).newer.text = "of the event"
    return request


async def append(channel: grpc.aio.Channel, request: Any) -> pb.AppendResponse:
    call = channel.unary_unary(
        "/antiphon.events.v1.EventService/Append",
        request_serializer=type(request).SerializeToString,
        response_deserializer=pb.AppendResponse.FromString,
    )
    response: pb.AppendResponse = await call(request)
    return response


async def read(channel: grpc.aio.Channel, *kinds: int) -> Any:
    """The log as a newer reader has it."""
    call = channel.unary_unary(
        "/antiphon.events.v1.EventService/ReadEvents",
        request_serializer=pb.ReadEventsRequest.SerializeToString,
        response_deserializer=newer("events.v1.ReadEventsResponse").FromString,
    )
    return (await call(pb.ReadEventsRequest(scope=SCOPE, kinds=kinds))).events  # type: ignore[arg-type]


def unplaced(events: Any) -> list[bytes]:
    """Events without what the log has added."""
    bare = []
    for event in events:
        for name in ("scope", "first_offset", "last_offset", "time"):
            event.ClearField(name)
        bare.append(event.SerializeToString(deterministic=True))
    return bare


async def test_events_are_read_and_followed_as_they_were_appended(
    channel: grpc.aio.Channel,
) -> None:
    """Byte for byte, and a repeated append is known; a filter by a kind to come finds it."""
    request = appended()
    request.request_id = "once"
    first, again = await append(channel, request), await append(channel, request)
    assert (again.duplicate, again.first_offset) == (True, first.first_offset)
    said = unplaced(appended().events)
    assert unplaced(await read(channel)) == said
    assert unplaced(await read(channel, NUMBER)) == said[2:]
    stub: Any = EventServiceStub(channel)
    for kinds, expected in (((), said), ((NUMBER,), said[2:])):
        watch = stream_pb2.Watch(watch_id="w", scope=SCOPE, start=2, kinds=kinds)  # type: ignore[arg-type]
        follow = stub.Follow(pb.FollowRequest(watches=[watch]), timeout=10)
        subscribe = stub.Subscribe(timeout=10)
        await subscribe.write(pb.SubscribeRequest(create=watch))
        for stream in (follow, subscribe):
            assert (await stream.read()).HasField("created")
            batch = newer("events.v1.EventBatch").FromString(
                (await stream.read()).batch.SerializeToString()
            )
            assert unplaced(batch.events) == expected
            stream.cancel()


async def test_folding_leaves_it_where_it_is(store: LogStore, channel: grpc.aio.Channel) -> None:
    """It takes over the places of what was folded before it, and no reader finds a hole."""
    await append(channel, appended())
    stub: Any = EventServiceStub(channel)
    assert (await stub.Fold(pb.FoldRequest(scope=SCOPE, turn_id=TURN))).removed == 1
    kept = await store.read(SCOPE, Offset(0), 100, 1 << 20, ())  # the ring may have more
    events = [newer("events.v1.Event").FromString(it.wire) for it in kept.records]
    assert [(it.first_offset, it.last_offset) for it in events] == [(1, 1), (2, 3)]
    said = unplaced(appended().events)
    assert unplaced(events) == [said[0], said[2]]


def test_nodes_carry_it_between_them() -> None:
    """Commits, what is not kept, and a message that says more than this version reads."""
    event = newer("events.v1.Event")(actor="x", ephemeral=True)
    event.newer.text = "newer"
    body = event.SerializeToString()
    record = placed(NUMBER, body, Offset(1), Offset(1), 5)
    commit = Commit(SCOPE, Epoch("0" * 16), Offset(1), [record])
    sent, _ = bus_wire.wire_commit(commit)
    key = b"key"
    heard = bus_wire.decode(bus_wire.encode(bus_wire.Message("n", 1, [sent]), key), key)
    assert [bus_wire.commit_of(it) for it in heard.commits] == [commit]
    frame = Ephemeral("w", SCOPE, body, Cursor(Epoch("0" * 16), Offset(1)))
    told = newer("events.v1.SubscribeResponse").FromString(FrameEncoder().encode(frame))
    assert told.batch.events[0].newer.text == "newer"


def test_what_is_no_payload_is_none() -> None:
    """Only the numbers of payloads count, and the contract keeps to them."""
    with pytest.raises(DomainError):
        new_event(SCOPE, event_pb2.Event.FromString(b"\x4a\x01x"))  # field 9
    with pytest.raises(DomainError):
        new_event(SCOPE, event_pb2.Event(actor="x"))
    payloads = event_pb2.Event.DESCRIPTOR.oneofs_by_name["payload"].fields
    others = set(event_pb2.Event.DESCRIPTOR.fields) - set(payloads)
    assert all(field.number in PAYLOADS for field in payloads)
    assert not any(field.number in PAYLOADS for field in others)


async def test_what_is_asked_that_is_not_known_is_not_implemented(
    channel: grpc.aio.Channel,
) -> None:
    """Also where another service asks for it: nothing else is done in its place."""
    wanted = newer("events.v1.SubscribeRequest")()
    wanted.newer.text = "x"
    with Refused(Reason.UNIMPLEMENTED):
        action_of(pb.SubscribeRequest.FromString(wanted.SerializeToString()))
    ephemeral = newer("events.v1.PublishEphemeralRequest")(scope=SCOPE)
    ephemeral.newer.text = "x"
    request = pb.PublishEphemeralRequest.FromString(ephemeral.SerializeToString())
    stub: Any = EventServiceStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.PublishEphemeral(request)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
