import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_ASSISTANT, Message, Part
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1 import event_pb2, stream_pb2
from antiphon.events.v1.event_pb2 import Event
from antiphon_client.errors import GapError
from antiphon_client.place import Place
from antiphon_client.text import Text
from antiphon_client.turn import TurnHandle
from tests.client.fake_log import SCOPE, FakeLog

PIECES = st.lists(st.text(min_size=1, max_size=6), max_size=12)


async def nothing(turn_id: str) -> Turn:
    raise AssertionError("never")


def event(number: int, **payload: object) -> Event:
    found = Event(scope=SCOPE, turn_id="turn_1", **payload)  # type: ignore[arg-type]
    found.first_offset = found.last_offset = number
    return found


def log_of(pieces: list[str], cancelled: bool) -> FakeLog:
    """A turn's whole log."""
    log, said = FakeLog(), ""
    started = event_pb2.TurnStarted(handler="h", reply_message_id="msg_1")
    payloads: list[dict[str, object]] = [{"turn_started": started}]
    for piece in pieces:
        delta = event_pb2.TextDeltaAppended(
            message_id="msg_1", text=piece, position=len(said.encode())
        )
        payloads.append({"text_delta_appended": delta})
        said += piece
    message = Message(
        message_id="msg_1",
        role=MESSAGE_ROLE_ASSISTANT,
        parts=[Part(text=said)],
        truncated=cancelled,
    )
    payloads.append({"message_posted": event_pb2.MessagePosted(message=message)})
    payloads.append({"turn_finished": event_pb2.TurnFinished(state=event_pb2.TURN_STATE_SUCCEEDED)})
    log.events = [event(number, **payload) for number, payload in enumerate(payloads, 1)]
    log.head = len(payloads)
    return log


@given(PIECES, st.booleans(), st.data())
def test_any_delivery_gives_exactly_the_text(
    pieces: list[str], cancelled: bool, data: st.DataObject
) -> None:
    """Cuts, repetitions, batches of any size and folds at any time change nothing."""
    log = log_of(pieces, cancelled)
    place, handle = Place(SCOPE), TurnHandle("turn_1", nothing)
    position, last_seen = 0, 0
    while not handle.done:
        if data.draw(st.booleans(), "fold"):
            log.fold("turn_1")
        if data.draw(st.booleans(), "delivered again"):
            position = data.draw(st.integers(0, last_seen), "from")
        found = log.after(position, data.draw(st.integers(1, 5), "batch"))
        position = found[-1].last_offset
        batch = stream_pb2.EventBatch(events=found, cursor=log.cursor(position))
        for fresh in place.take(batch):
            assert fresh.last_offset > last_seen
            last_seen = fresh.last_offset
            handle.apply(fresh)
    said = [update for update in handle._log if isinstance(update, str)]
    assert "".join(said) == handle.text == "".join(pieces)


@given(PIECES, st.data())
def test_a_missing_event_is_always_noticed(pieces: list[str], data: st.DataObject) -> None:
    """Leave out any one event in the middle, and the next one is refused."""
    log = log_of(pieces, cancelled=False)
    missing = data.draw(st.integers(1, len(log.events) - 2))
    del log.events[missing]
    place = Place(SCOPE)
    with pytest.raises(GapError) as caught:
        place.take(stream_pb2.EventBatch(events=log.events))
    assert caught.value.metadata["expected_offset"] == str(missing + 1)


def test_who_comes_late_gets_the_whole_message() -> None:
    """Pieces behind a hole are not shown; the message then is."""
    text = Text()
    assert text.append(6, "world") == ""
    assert text.replace("hello world") == "hello world"
    assert str(text) == "hello world"


def test_a_message_that_differs_from_its_pieces_wins() -> None:
    """The committed message is the truth."""
    text = Text()
    text.append(0, "hullo")
    assert text.replace("hello") == ""
    assert str(text) == "hello"
