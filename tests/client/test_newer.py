"""A client goes on where a newer server says what it does not understand."""

from typing import Any

from antiphon.auth.v1 import access_pb2
from antiphon.events.v1 import event_pb2, event_service_pb2, stream_pb2
from antiphon.events.v1.event_pb2 import Event
from antiphon_client import Unavailable
from antiphon_client.frames import Intake, ending
from antiphon_client.members import role_name
from antiphon_client.place import Place
from antiphon_client.redial import Redial
from antiphon_client.turn import TurnHandle
from antiphon_server.cli.events import event_line
from tests.client.fake_server import SCOPE, fake_server
from tests.client.test_text import event, nothing
from tests.fakes.newer import VALUE, newer


def event_to_come() -> Event:
    """One of a kind that this client does not know."""
    made = newer("events.v1.Event")(turn_id="turn_1", actor="handlers/newer")
    made.newer.text = "newer"
    return Event.FromString(made.SerializeToString())


async def test_events_of_kinds_to_come_are_given_in_their_places() -> None:
    """Whole, so that who does understand them may; none is missed, and none is a gap."""
    async with fake_server() as server, server.client() as client:
        for _ in range(3):
            await server.log.append(event_to_come())
        seen = []
        async for each in client.follow(SCOPE, earliest=True):
            seen.append(newer("events.v1.Event").FromString(each.SerializeToString()))
            if len(seen) == 3:
                break
        assert [it.last_offset for it in seen] == [1, 2, 3]
        assert {it.newer.text for it in seen} == {"newer"}


def test_a_turn_goes_on_behind_what_is_not_understood() -> None:
    """Its text is the deltas'; it ends, also in a state to come."""
    handle = TurnHandle("turn_1", nothing)
    handle.apply(event(1, text_delta_appended=event_pb2.TextDeltaAppended(text="a")))
    handle.apply(event_to_come())
    more = event_pb2.TextDeltaAppended(text="b", position=1)
    handle.apply(event(3, text_delta_appended=more))
    finished = event_pb2.TurnFinished(state=VALUE)  # type: ignore[arg-type]
    handle.apply(event(4, turn_finished=finished))
    assert (handle.done, handle.text) == (True, "ab")


def test_frames_and_ends_to_come_are_no_ends_of_the_client() -> None:
    """A frame is passed over; who is told to end for a reason to come connects again."""
    frame = newer("events.v1.SubscribeResponse")()
    frame.newer.text = "newer"
    response = event_service_pb2.SubscribeResponse.FromString(frame.SerializeToString())
    tokens: Any = None  # nobody connects
    assert Intake(Place(SCOPE), Redial(tokens, 1.0)).take(response) == ()
    ended = ending(stream_pb2.WatchEnded(reason=VALUE))  # type: ignore[arg-type]
    assert isinstance(ended, Unavailable)


def test_people_are_shown_what_has_no_name_here() -> None:
    """An event, a state and a role of a newer server are shown, and nothing fails."""
    assert "unknown" in event_line(event_to_come())
    finished = event_pb2.TurnFinished(state=VALUE)  # type: ignore[arg-type]
    assert f"unknown {VALUE}" in event_line(event(1, turn_finished=finished))
    assert role_name(VALUE) == f"unknown {VALUE}"  # type: ignore[arg-type]
    assert role_name(access_pb2.ROLE_OWNER) == "owner"
