"""What a call is refused with, on both kinds of channel."""

from typing import Any

import grpc

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon.events.v1 import stream_pb2
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.errors.wire import domain_error_of, remote_errors
from tests.contract.channel.world import CANARY, FOLLOW, SCOPE, Events, failure, read, subscribe
from tests.e2e.refusals import Refused


async def test_a_domain_error_arrives_whole(stub: Any) -> None:
    """Code, sentence and ErrorInfo cross the channel, unary and streamed."""
    error = await failure(stub.ReadEvents(read("missing")))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert error.details() == f"{SCOPE} was not found."
    assert domain_error_of(error).metadata == {"resource": SCOPE}
    with Refused(Reason.LIMIT_EXCEEDED) as caught, remote_errors():
        async for _ in stub.Follow(pb.FollowRequest(follow_id="fails", watches=FOLLOW.watches)):
            pass
    assert caught.error.metadata == {"limit": "watches"}


async def test_a_defect_says_nothing(stub: Any) -> None:
    """An unexpected exception becomes INTERNAL without its text."""
    error = await failure(stub.ReadEvents(read("defect")))
    assert error.code() is grpc.StatusCode.INTERNAL
    assert domain_error_of(error).reason is Reason.INTERNAL
    assert CANARY not in f"{error!r} {error.trailing_metadata()!r}"


async def test_an_unknown_method_is_refused(channel: grpc.aio.Channel) -> None:
    """A method that nobody registered gives UNIMPLEMENTED with ErrorInfo, as one unwritten does."""
    unknown: Any = channel.unary_unary("/antiphon.events.v1.EventService/Nothing")
    error = await failure(unknown(b""))
    assert error.code() is grpc.StatusCode.UNIMPLEMENTED
    assert domain_error_of(error).reason is Reason.UNIMPLEMENTED
    unwritten = stubs.EventServiceStub(channel).Trim(pb.TrimRequest(scope="s", before_offset=1))
    assert (await failure(unwritten)).code() is grpc.StatusCode.UNIMPLEMENTED


async def test_an_invalid_request_names_its_fields(stub: Any, events: Events) -> None:
    """A rule of the contract refuses the message before the handler."""
    watch = stream_pb2.Watch(watch_id="w", scope="nowhere")
    with Refused(Reason.INVALID_ARGUMENT) as caught, remote_errors():
        async for _ in stub.Follow(pb.FollowRequest(watches=[watch])):
            pass
    assert [v.field for v in caught.error.violations] == ["watches[0].scope"]
    assert not events.begun.is_set()


async def test_an_invalid_message_of_a_stream_is_refused(stub: Any) -> None:
    """Messages of a request stream are checked as they are read."""
    call = stub.Subscribe()
    await call.write(subscribe("a"))
    await call.read()
    await call.write(pb.SubscribeRequest())
    error = await failure(call.read())
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
