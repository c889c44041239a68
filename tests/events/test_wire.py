"""Messages put together from bytes are those that the stubs would have made."""

from hypothesis import given
from hypothesis import strategies as st

from antiphon.dispatcher.v1 import dispatcher_service_pb2
from antiphon.events.v1 import event_pb2, event_service_pb2, stream_pb2
from antiphon_server.events import wire
from antiphon_server.events.encoding import new_event
from antiphon_server.events.frames import Close
from antiphon_server.events.model import Offset, Record, Scope

SCOPE = Scope("conversations/conv_00000001")
OFFSETS = st.integers(min_value=1, max_value=2**62)
TIMES = st.integers(min_value=0, max_value=4_000_000_000_000_000)


def record(text: str, first: int, last: int, time_us: int) -> Record:
    event = event_pb2.Event(actor="users/user_x", scope="elsewhere")
    event.text_delta_appended.text = text
    body = new_event(SCOPE, event).body
    return wire.placed(16, body, Offset(first), Offset(last), time_us)


@given(st.text(), OFFSETS, OFFSETS, TIMES)
def test_a_placed_event_is_the_event_with_its_place(
    text: str, first: int, last: int, time_us: int
) -> None:
    """Scope, offsets and time read back as they were put in."""
    event = event_pb2.Event.FromString(record(text, first, last, time_us).wire)
    assert (event.scope, event.first_offset, event.last_offset) == (SCOPE, first, last)
    assert event.time.ToMicroseconds() == time_us
    assert event.text_delta_appended.text == text
    assert event.actor == "users/user_x"


@given(st.text(max_size=300), st.text(max_size=300), st.lists(st.text(max_size=300)))
def test_a_batch_is_a_frame_of_all_three_streams(
    watch_id: str, cursor: str, texts: list[str]
) -> None:
    """Subscribe, Follow and Converse read the same bytes as the same batch."""
    records = [record(text, n, n, 5) for n, text in enumerate(texts, 1)]
    encoded = wire.batch(watch_id, records, cursor)
    batches = [
        event_service_pb2.SubscribeResponse.FromString(encoded).batch,
        event_service_pb2.FollowResponse.FromString(encoded).batch,
        dispatcher_service_pb2.ConverseResponse.FromString(encoded).batch,
    ]
    for batch in batches:
        assert (batch.watch_id, batch.cursor) == (watch_id, cursor)
        assert [event.text_delta_appended.text for event in batch.events] == texts


@given(st.text(max_size=300), st.lists(st.text(max_size=300)), st.booleans())
def test_a_page_is_a_read_response(cursor: str, texts: list[str], at_head: bool) -> None:
    """ReadEvents' answer reads back."""
    records = [record(text, n, n, 5) for n, text in enumerate(texts, 1)]
    page = event_service_pb2.ReadEventsResponse.FromString(wire.page(records, cursor, at_head))
    assert (page.cursor, page.at_head, len(page.events)) == (cursor, at_head, len(texts))


def test_the_three_streams_have_the_same_first_fields() -> None:
    """Bytes of one stream's frame may be handed to the others: names, numbers and types agree."""
    subscribe = event_service_pb2.SubscribeResponse.DESCRIPTOR.fields
    for other in (event_service_pb2.FollowResponse, dispatcher_service_pb2.ConverseResponse):
        for field in subscribe:
            twin = other.DESCRIPTOR.fields_by_number[field.number]
            assert (twin.name, twin.message_type) == (field.name, field.message_type)


def test_every_payload_has_its_kind() -> None:
    """EventKind's values are the payload fields' numbers, and there is one for each."""
    payloads = event_pb2.Event.DESCRIPTOR.oneofs_by_name["payload"].fields
    numbers = {field.name.upper(): field.number for field in payloads}
    kinds = {name.removeprefix("EVENT_KIND_"): n for name, n in event_pb2.EventKind.items() if n}
    assert numbers == kinds


def test_close_reasons_are_those_of_the_contract() -> None:
    """The rules' enum and the contract's agree."""
    contract = {
        name.removeprefix("CLOSE_REASON_"): number
        for name, number in stream_pb2.CloseReason.items()
        if number
    }
    assert {reason.name: reason.value for reason in Close} == contract
