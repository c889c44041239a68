"""What the log may say of a conversation's turns, whatever happened to them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER
from antiphon.events.v1 import event_pb2
from antiphon_server.dispatcher.model import LossPolicy, Policy, State


@dataclass(slots=True)
class Asked:
    """A turn that somebody asked for, or asked to stop."""

    number: int
    policy: Policy = Policy.QUEUE
    loss: LossPolicy = LossPolicy.RESUME
    accepted: bool = False
    dispatched: bool = False
    cancelled: bool = False
    stopped_at: int | None = None
    seen: str = ""


@dataclass(slots=True)
class Story:
    """What the log says of one turn."""

    accepted_at: int = -1
    started_at: int = -1
    finished_at: int = -1
    attempt: int = 0
    attempts: int = 0
    text: str = ""
    text_at: int = 0
    folded: bool = False
    reply: str | None = None
    truncated: bool = False
    state: State | None = None
    rolled_back: bool = False
    questions: int = 0
    kinds: list[str] = field(default_factory=list)


def read(events: Sequence[event_pb2.Event]) -> dict[str, Story]:
    """The story of every turn; its steps must be in order."""
    stories: dict[str, Story] = {}
    folded = False
    for at, event in enumerate(events):
        folded |= event.first_offset != event.last_offset
        for story in stories.values():
            story.folded |= folded and story.state is None
        if event.turn_id:
            _step(stories.setdefault(event.turn_id, Story()), at, event)
    return stories


def _step(story: Story, at: int, event: event_pb2.Event) -> None:
    kind = str(event.WhichOneof("payload"))
    story.kinds.append(kind)
    assert story.state is None, f"{kind} after the end"
    assert event.attempt >= story.attempt, "an earlier attempt wrote after a later one"
    story.attempt = event.attempt
    if kind == "message_posted" and event.message_posted.message.role == MESSAGE_ROLE_USER:
        story.questions += 1
        assert story.accepted_at < 0
    elif kind == "message_posted":
        assert story.reply is None
        story.reply = event.message_posted.message.parts[0].text
        story.truncated = event.message_posted.message.truncated
    elif kind == "turn_accepted":
        assert (story.questions, story.accepted_at) == (1, -1)
        story.accepted_at = at
    elif kind == "turn_started":
        assert story.accepted_at >= 0
        story.attempts += 1
        story.started_at = at if story.started_at < 0 else story.started_at
    elif kind == "text_delta_appended":
        assert story.started_at >= 0
        _piece(story, event.text_delta_appended)
    elif kind == "turn_finished":
        story.finished_at = at
        story.state = State(event.turn_finished.state)
        story.rolled_back = event.turn_finished.rolled_back
        _check_end(story, event.turn_finished)


def _piece(story: Story, delta: event_pb2.TextDeltaAppended) -> None:
    """What was folded is not read again; what is left has no hole."""
    if not story.text and story.folded:
        story.text_at = delta.position
    at = story.text_at + len(story.text.encode())
    assert delta.position == at, "a piece is missing, or there twice"
    story.text += delta.text


def _check_end(story: Story, finished: event_pb2.TurnFinished) -> None:
    assert bool(finished.reply_message_id) == (story.reply is not None)
    if story.reply is not None:
        assert story.truncated == (story.state is not State.SUCCEEDED)
        delivered = story.reply.encode()[story.text_at :].decode()
        is_folded = story.folded and not story.text
        assert is_folded or delivered == story.text, "not what was delivered"
    else:
        assert story.text == ""


def check_order(asked: Sequence[Asked], stories: Sequence[Story | None]) -> None:
    """A turn that waits for others starts when those before it have ended."""
    told = [
        (one, story)
        for one, story in zip(asked, stories, strict=True)
        if story and story.accepted_at >= 0
    ]
    for one, story in told:
        if one.policy is Policy.PARALLEL or story.started_at < 0:
            continue
        for _, other in told:
            if other.accepted_at < story.accepted_at:
                assert 0 <= other.finished_at < story.started_at, "it did not wait"
