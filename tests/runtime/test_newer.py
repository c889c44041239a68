"""What a port does with what its contract does not have yet: it depends on who says it."""

from collections.abc import Iterator
from typing import Any

import pytest

from antiphon.dispatcher.v1 import dispatcher_service_pb2 as dispatcher_pb
from antiphon.events.v1 import event_service_pb2 as pb
from antiphon_server.runtime.access.principal import (
    ANONYMOUS,
    Principal,
    SessionId,
    UserId,
    set_principal,
)
from antiphon_server.runtime.encoding.open_enum import OpenIntEnum
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.interceptors.validation import check
from tests.fakes.newer import VALUE, newer
from tests.runtime.events_service import SCOPE

SERVICE = Principal("service", UserId("dispatcher"), SessionId(""))
ANNA = Principal("user", UserId("user_anna"), SessionId("s"))


@pytest.fixture
def calls() -> Iterator[Any]:
    """Says who calls."""
    yield set_principal
    set_principal(ANONYMOUS)


def appended() -> pb.AppendRequest:
    """What a newer service appends: a message with a newer part, and an event of a newer kind."""
    request = newer("events.v1.AppendRequest")(scope=SCOPE)
    message = request.events.add().message_posted.message
    message.newer = "of the message"
    message.parts.add().newer.text = "of the part"
    request.events.add().newer.text = "of the event"
    return pb.AppendRequest.FromString(request.SerializeToString())


def refusals(message: Any) -> list[str]:
    with pytest.raises(DomainError) as caught:
        check(message)
    assert caught.value.reason is Reason.INVALID_ARGUMENT
    return [violation.field for violation in caught.value.violations]


def test_what_another_service_says_is_kept(calls: Any) -> None:
    """It may be newer, and knows what it says; what is missing is missed all the same."""
    calls(SERVICE)
    request, before = appended(), appended().SerializeToString()
    check(request)
    assert request.SerializeToString() == before
    request.events[0].message_posted.message.parts.add()
    assert refusals(request) == ["events[0].message_posted.message.parts[1].content"]
    check(pb.ReadEventsRequest(scope=SCOPE, kinds=[VALUE]))  # type: ignore[list-item]


def test_a_reference_of_before_the_rule_is_kept(calls: Any) -> None:
    """What was posted with a password in it can be passed on; no client posts another one."""
    calls(SERVICE)
    append, dispatch = pb.AppendRequest(scope=SCOPE), dispatcher_pb.DispatchRequest()
    dispatch.conversation_id, dispatch.turn_id = "conv_00000001", "turn_00000001"
    for part in (append.events.add().message_posted.message.parts.add(), dispatch.parts.add()):
        part.file.uri, part.file.media_type = "https://user:password@x.example/y", "text/plain"
    check(append)
    append.events[0].message_posted.message.parts[0].file.media_type = ""
    assert refusals(append) == ["events[0].message_posted.message.parts[0].file.media_type"]
    calls(ANNA)
    assert refusals(dispatch) == ["parts[0].file.uri"]


def test_what_a_client_asks_for_that_is_not_known_is_refused(calls: Any) -> None:
    """A part, an action, a value: by the field that this version misses."""
    calls(ANNA)
    dispatch = newer("dispatcher.v1.DispatchRequest")(conversation_id="conv_00000001")
    dispatch.parts.add().newer.text = "x"
    sent = dispatch.SerializeToString()
    assert refusals(dispatcher_pb.DispatchRequest.FromString(sent)) == ["parts[0].content"]
    subscribe = newer("events.v1.SubscribeRequest")()
    subscribe.newer.text = "x"
    sent = subscribe.SerializeToString()
    assert refusals(pb.SubscribeRequest.FromString(sent)) == ["action"]
    request = pb.ReadEventsRequest(scope=SCOPE, kinds=[VALUE])  # type: ignore[list-item]
    assert refusals(request) == ["kinds[0]"]


def test_what_a_client_says_besides_is_dropped(calls: Any) -> None:
    """No rule bounds it, so nobody stores it or passes it on."""
    calls(ANNA)
    request = newer("dispatcher.v1.DispatchRequest")(conversation_id="conv_00000001", newer="x")
    request.parts.add(text="hello", newer={"text": "y"}).text = "hello"
    taken = dispatcher_pb.DispatchRequest.FromString(request.SerializeToString())
    check(taken)
    bare = dispatcher_pb.DispatchRequest(conversation_id="conv_00000001")
    bare.parts.add(text="hello")
    assert taken.SerializeToString() == bare.SerializeToString()


def test_a_value_to_come_is_kept() -> None:
    """It is no known one, and its number is its own."""

    class Colour(OpenIntEnum):
        RED = 1

    assert Colour(1) is Colour.RED
    assert (Colour(VALUE), Colour(VALUE).known, Colour.RED.known) == (VALUE, False, True)
    assert Colour(VALUE) == Colour(VALUE) != Colour.RED
    assert (Colour(-1), Colour(-1).known) == (-1, False)
    with pytest.raises(ValueError, match="red"):
        Colour("red")  # type: ignore[arg-type]
