"""Calls of tools, as a chat shows them."""

import json

from antiphon.events.v1.event_pb2 import (
    TOOL_CALL_OUTCOME_CANCELLED,
    TOOL_CALL_OUTCOME_DENIED,
    TOOL_CALL_OUTCOME_SUCCEEDED,
    TOOL_CALL_OUTCOME_UNKNOWN,
    ToolCallFinished,
    ToolCallProposed,
)
from antiphon_client import CallStatus, text_of
from antiphon_client.status import error_of_status
from antiphon_server.cli.chat.screen import Screen
from antiphon_server.cli.console import in_a_line, shortened
from antiphon_server.cli.explain import explain

_OF_MONEY = ("BUDGET_EXCEEDED", "PRICE_UNKNOWN")
_FOLDED = 100
_SHORT_MS = 100


def show_call(screen: Screen, news: CallStatus, conversation_id: str) -> None:
    """Show a call when it is made, and its result, folded to a line, when that is there."""
    finished = news.finished
    if finished is None:
        screen.status(news.sentence)
        return
    screen.note(f"⚙ {_asked(news.proposed)}")
    screen.note(f"  {_outcome(finished)}{_time(finished)}")
    if finished.kept:
        where = f"{conversation_id} {in_a_line(finished.tool_call_id)}"
        screen.note(f"  all of it: antiphon tools result {where}")


def show_waiting(screen: Screen, call: ToolCallProposed) -> None:
    """Show a call that a person has to decide about: all of it, since all of it is approved."""
    for line in whole_call(call):
        screen.note(line)


def whole_call(call: ToolCallProposed) -> list[str]:
    """A call in lines, with all of its arguments."""
    arguments = (f"    {line}" for line in indented(call.arguments_json))
    return [f"⚙ {in_a_line(call.tool)} is to be called with", *arguments]


def _asked(call: ToolCallProposed) -> str:
    return shortened(f"{call.tool} {call.arguments_json}", _FOLDED)


def _outcome(finished: ToolCallFinished) -> str:
    text = shortened(text_of(finished.result), _FOLDED)
    match finished.outcome:
        case x if x == TOOL_CALL_OUTCOME_SUCCEEDED:
            return f"→ {text}"
        case x if x == TOOL_CALL_OUTCOME_DENIED:
            return "denied"
        case x if x == TOOL_CALL_OUTCOME_CANCELLED:
            return "stopped"
        case x if x == TOOL_CALL_OUTCOME_UNKNOWN:
            return "it is not known what became of it: the server died meanwhile"
    return f"failed: {in_a_line(_why(finished)) or text}"


def _why(finished: ToolCallFinished) -> str:
    """What is said of a failure; where it is money, also what helps."""
    error = error_of_status(finished.error)
    return explain(error) if error.reason in _OF_MONEY else error.message


def _time(finished: ToolCallFinished) -> str:
    took = finished.duration_ms
    if not took:
        return ""
    return f" · {took} ms" if took < _SHORT_MS else f" · {took / 1000:.1f} s"


def indented(arguments: str) -> list[str]:
    """The arguments over several lines; as they are, if they are no JSON."""
    try:
        text = json.dumps(json.loads(arguments), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = arguments
    return [_kept(line) for line in text.split("\n")]  # no other character begins a line


def _kept(line: str) -> str:
    text = line.lstrip(" ")
    return line[: len(line) - len(text)] + in_a_line(text)
