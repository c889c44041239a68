"""What becomes of schedules and hand-offs is said in words, in chats and in lines of the log."""

import asyncio
import io

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER, Message, Part
from antiphon.events.v1 import event_pb2, handoff_pb2
from antiphon.events.v1.event_pb2 import Event
from antiphon_server.cli.chat.news import News
from antiphon_server.cli.chat.screen import Screen
from antiphon_server.cli.events import event_line
from tests.e2e.until import until

TURN, HAND, SCHED = "turn_00000001", "hand_00000001_1", "sched_00000001"
ANNA = "users/user_0000anna"
FAILED = event_pb2.ScheduleFailed(
    schedule_id=SCHED, error="USER_DISABLED", paused=True, due_time=Timestamp(seconds=1)
)
SKIPPED = event_pb2.ScheduleSkipped(schedule_id=SCHED, skipped=3, due_time=Timestamp(seconds=1))
HANDED = event_pb2.Event(
    turn_id=TURN,
    turn_handed_off=handoff_pb2.TurnHandedOff(
        handoff=handoff_pb2.Handoff(handoff_id=HAND, reason="about {money}\n\x1b[2J")
    ),
)
HELD = event_pb2.Event(
    turn_id=TURN,
    turn_handed_off=handoff_pb2.TurnHandedOff(
        handoff=handoff_pb2.Handoff(handoff_id=HAND, reason="Filter x has found y.", held_for="z")
    ),
)


def _claimed(by: str) -> Event:
    claim = handoff_pb2.HandoffClaimChanged(handoff_id=HAND, claimed_by=by)
    return Event(turn_id=TURN, actor=ANNA, handoff_claim_changed=claim)


def _ended(end: "handoff_pb2.HandoffEnd.ValueType", handler: str = "", note: str = "") -> Event:
    ended = handoff_pb2.HandoffEnded(handoff_id=HAND, end=end, handler=handler, note=note)
    return Event(turn_id=TURN, actor=ANNA, handoff_ended=ended)


RETURNED = _ended(handoff_pb2.HANDOFF_END_RETURNED, "echo", "a small sum")
DECLINED = _ended(handoff_pb2.HANDOFF_END_DECLINED, note="nobody is here")
EXPIRED = _ended(handoff_pb2.HANDOFF_END_EXPIRED, "echo")


async def _shown(*events: Event, own: bool = False) -> list[str]:
    """What a chat shows of them, behind Anna's question, which is shown by who waits if ``own``."""

    async def names(_author: str) -> str:
        return "Anna"

    paper = io.StringIO()
    news = News(Screen(paper, paper), names)
    if own:
        news.own(TURN, "May I?")
    asked = Message(
        message_id="m", role=MESSAGE_ROLE_USER, author=ANNA, parts=[Part(text="May I?")]
    )
    last = Message(message_id="n", role=MESSAGE_ROLE_USER, author=ANNA, parts=[Part(text="done")])
    running = asyncio.create_task(news.run())
    news.take(Event(turn_id=TURN, message_posted=event_pb2.MessagePosted(message=asked)))
    for event in events:
        news.take(event)
    news.take(Event(message_posted=event_pb2.MessagePosted(message=last)))

    def is_through() -> bool:
        news.show()
        return "Anna> done" in paper.getvalue()

    await until(is_through)
    running.cancel()
    return [it for it in paper.getvalue().splitlines() if not it.startswith("Anna> ")]


async def test_a_chat_says_what_became_of_schedules() -> None:
    failed, skipped = await _shown(Event(schedule_failed=FAILED), Event(schedule_skipped=SKIPPED))
    assert failed.startswith(f"the schedule {SCHED} could not start what was due at ")
    assert failed.endswith(
        f": USER_DISABLED; it is paused; `antiphon schedules resume {SCHED}` lets it go on"
    )
    assert skipped.startswith(f"the schedule {SCHED} has missed 3 due times, the newest at ")


async def test_a_chat_says_who_has_others_questions() -> None:
    """What people write into reasons and notes has no power over the terminal."""
    shown = await _shown(HANDED, _claimed(ANNA), _claimed(""), RETURNED, DECLINED, EXPIRED)
    waits, claimed, released, returned, declined, expired = shown
    assert waits.startswith("Anna's “May I?” waits for people: “about {money}")
    assert waits.endswith(f"; `antiphon handoffs show {HAND}`")
    assert waits.isprintable()
    assert claimed == "Anna is at Anna's “May I?”"
    assert released == "nobody is at Anna's “May I?”"
    assert returned == "echo goes on with Anna's “May I?”: “a small sum”"
    assert declined == "nobody will answer Anna's “May I?”: “nobody is here”"
    assert expired == "nobody has answered Anna's “May I?” in time; echo goes on"


async def test_a_chat_says_what_a_filter_holds() -> None:
    """Why, and that it is looked at before anybody answers it."""
    [held] = await _shown(HELD)
    assert held.startswith("Anna's “May I?” waits until a person has looked at it: “Filter x has ")


async def test_what_is_said_elsewhere_is_not_said_twice() -> None:
    """An answer follows by itself; of one's own question its turn tells."""
    assert await _shown(_ended(handoff_pb2.HANDOFF_END_ANSWERED)) == []
    assert await _shown(HANDED, _claimed(ANNA), EXPIRED, own=True) == []


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (Event(schedule_failed=FAILED), "USER_DISABLED, and is paused"),
        (Event(schedule_skipped=SKIPPED), f"{SCHED} missed 3 due times, the newest at "),
        (HANDED, f"{HAND} waits for people until "),
        (_claimed(""), f"{HAND}: nobody is at it"),
        (_claimed(ANNA), f"{HAND}: {ANNA} is at it"),
        (RETURNED, f"{HAND} returned, echo goes on: 'a small sum'"),
        (EXPIRED, f"{HAND} expired, echo goes on"),
    ],
)
def test_a_line_of_the_log_says_it(event: Event, said: str) -> None:
    assert said in event_line(event)
