"""Turns that turns have asked for, as a conversation's events tell them."""

import json
from dataclasses import dataclass

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_ASSISTANT
from antiphon.events.v1 import event_pb2
from antiphon.events.v1.event_pb2 import Event
from antiphon_client.errors import AntiphonError
from antiphon_client.status import error_of_status
from antiphon_client.text import text_of
from antiphon_client.turn import TurnStatus

PREFIX = "handlers."
"""What the tool of a call begins with that has another handler work."""
_MOST = 1000
_RUNNING = event_pb2.TURN_STATE_RUNNING


@dataclass(frozen=True, slots=True)
class ChildStatus(TurnStatus):
    """What a turn is doing that the turn has asked for, or one that it has asked for (``depth`` 2).

    ``message`` is what it was told, cut after 500 characters; ``text`` its answer, as soon as that
    is there; ``took_s`` is known at its end, ``error`` where it failed.
    """

    turn_id: str = ""
    handler: str = ""
    message: str = ""
    depth: int = 1
    text: str = ""
    took_s: float = 0.0
    error: AntiphonError | None = None


@dataclass(slots=True)
class _Child:
    root: str
    depth: int
    handler: str
    message: str
    began_s: float = 0.0


class Trees:
    """Says which turn at the root an event of another one belongs to."""

    def __init__(self) -> None:
        self._messages: dict[str, str] = {}
        self._children: dict[str, _Child] = {}

    def take(self, event: Event) -> tuple[str, ChildStatus] | None:
        """The id of the turn at the root, and what is new of the one below it; None of others."""
        match event.WhichOneof("payload"):
            case "tool_call_proposed":
                self._asked(event.tool_call_proposed.tool, event.tool_call_proposed.arguments_json)
            case "turn_accepted" if event.turn_accepted.parent_turn_id:
                self._begin(event)
        child = self._children.get(event.turn_id)
        told = _told(child, event) if child is not None else None
        if event.HasField("turn_finished"):
            self._children.pop(event.turn_id, None)
        return (child.root, told) if child is not None and told is not None else None

    def _asked(self, tool: str, arguments: str) -> None:
        turn_id, message = begun_by(tool, arguments)
        if turn_id:
            self._messages[turn_id] = message
            if len(self._messages) > _MOST:
                del self._messages[next(iter(self._messages))]

    def _begin(self, event: Event) -> None:
        accepted = event.turn_accepted
        parent = self._children.get(accepted.parent_turn_id)
        self._children[event.turn_id] = _Child(
            parent.root if parent is not None else accepted.parent_turn_id,
            parent.depth + 1 if parent is not None else 1,
            accepted.handler,
            self._messages.pop(event.turn_id, ""),
        )
        if len(self._children) > _MOST:  # ends of those that were lost never come
            del self._children[next(iter(self._children))]


def begun_by(tool: str, arguments: str) -> tuple[str, str]:
    """The turn that a call has begun, and what that was told; empty of a call of a tool."""
    if not tool.startswith(PREFIX):
        return "", ""
    try:
        told = json.loads(arguments)
        return str(told["turn_id"]), str(told.get("message", ""))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return "", ""


def _told(child: _Child, event: Event) -> ChildStatus | None:
    who = (event.turn_id, child.handler, child.message, child.depth)
    match event.WhichOneof("payload"):
        case "turn_started":
            child.began_s = child.began_s or _seconds(event)
            return ChildStatus(_RUNNING, "began", None, *who)
        case "turn_progressed":
            at = event.turn_progressed
            fraction = at.fraction if at.HasField("fraction") else None
            return ChildStatus(_RUNNING, at.status, fraction, *who)
        case "tool_call_proposed" if event.tool_call_proposed.asks:
            sentence = f"{event.tool_call_proposed.tool} waits for an approval"
            return ChildStatus(_RUNNING, sentence, None, *who)
        case "tool_call_question_asked":
            question = event.tool_call_question_asked.question.message
            return ChildStatus(_RUNNING, f"asks: {question}", None, *who)
        case "message_posted" if event.message_posted.message.role == MESSAGE_ROLE_ASSISTANT:
            text = text_of(event.message_posted.message.parts)
            return ChildStatus(_RUNNING, "", None, *who, text)
        case "turn_finished":
            finished, took = event.turn_finished, _seconds(event) - child.began_s
            error = error_of_status(finished.error) if finished.HasField("error") else None
            took = took if child.began_s else 0.0
            return ChildStatus(finished.state, "", None, *who, "", took, error)
    return None


def _seconds(event: Event) -> float:
    return event.time.seconds + event.time.nanos / 1e9
