"""What tools ask people, as a chat shows it, and what its user says to it: field by field."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from antiphon.events.v1.event_pb2 import ToolCallProposed, ToolCallQuestionAsked
from antiphon.integration.v1.tool_pb2 import (
    TOOL_ANSWER_ACTION_ACCEPTED,
    TOOL_ANSWER_ACTION_DECLINED,
    ToolAnswerAction,
)
from antiphon_server.cli.chat.keyboard import Keyboard
from antiphon_server.cli.chat.screen import Screen
from antiphon_server.cli.console import in_a_line

_YES, _NO = ("y", "yes", "true"), ("n", "no", "false")


@dataclass(frozen=True)
class Said:
    """What the user does with a question."""

    action: ToolAnswerAction.ValueType = TOOL_ANSWER_ACTION_DECLINED
    content: dict[str, Any] = field(default_factory=dict)


class _NotThat(Exception):
    """Says what is wanted instead."""


def read_answer(
    screen: Screen, keyboard: Keyboard, call: ToolCallProposed, asked: ToolCallQuestionAsked
) -> Said:
    """Show the question and read its answer; who leaves off has declined."""
    question = asked.question
    screen.note(f"⚙ {in_a_line(call.tool)} asks: {in_a_line(question.message)}")
    try:
        if question.url:
            return _visited(screen, keyboard, question.url)
        if not asked.asked_of:  # else no tool reads it, but who gets the user's own message
            screen.note("Answer it? It reads what you say. y: yes, n: no")
            if not _agreed(screen, keyboard):
                return Said()
        fields = json.loads(question.schema_json)
        wanted = set(fields.get("required", ()))
        given = {
            name: _read(screen, keyboard, name, it, needed=name in wanted)
            for name, it in fields.get("properties", {}).items()
        }
    except (EOFError, KeyboardInterrupt):
        return Said()
    content = {name: value for name, value in given.items() if value is not None}
    return Said(TOOL_ANSWER_ACTION_ACCEPTED, content)


def _visited(screen: Screen, keyboard: Keyboard, url: str) -> Said:
    """A page is never opened from here: who trusts its host does it."""
    screen.note(f"    {in_a_line(url)}")
    screen.note(f"It wants a page of {urlsplit(url).hostname} to be visited. y: done, n: no")
    return Said(TOOL_ANSWER_ACTION_ACCEPTED) if _agreed(screen, keyboard) else Said()


def _agreed(screen: Screen, keyboard: Keyboard) -> bool:
    """Neither is not a no: who types the answer at once means to give one."""
    while (said := keyboard.read().strip().lower()) not in (*_YES, *_NO):
        if said:
            screen.error("y or n, please; what you say is read after that.")
    return said in _YES


def _read(
    screen: Screen, keyboard: Keyboard, name: str, it: dict[str, Any], *, needed: bool
) -> Any:
    """A field's value; None if nothing was said to one that may be left out."""
    for line in _shown(name, it, needed=needed):
        screen.note(line)
    while True:
        said = keyboard.read().strip()
        if not said and ("default" in it or not needed):
            return it.get("default")
        try:
            return _value(it, said)
        except _NotThat as wanted:
            screen.error(f"{wanted}, please.")


def _shown(name: str, it: dict[str, Any], *, needed: bool) -> list[str]:
    told = in_a_line(it.get("description", ""))
    more = f" ({told})" if told else ""
    if "default" in it:
        more += f" [{in_a_line(_said(it['default']))}]"
    elif not needed:
        more += " [none]"
    named = in_a_line(it.get("title", "") or name)
    lines = [f"  {named}{more}: {_kind(it)}"]
    lines += [f"    {number}: {shown}" for number, (_, shown) in enumerate(_choices(it), 1)]
    return lines


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "y" if value else "n"
    return ", ".join(value) if isinstance(value, list) else str(value)


def _kind(it: dict[str, Any]) -> str:
    match it.get("type"):
        case "array":
            return "some of these, with commas between them"
        case "boolean":
            return "y or n"
        case "string" if _choices(it):
            return "one of these"
        case "string":
            return str(it.get("format", "text"))
        case kind:
            return f"{kind}"


def _choices(it: dict[str, Any]) -> Sequence[tuple[str, str]]:
    """What may be chosen, and how that is shown."""
    of = it.get("items", {}) if it.get("type") == "array" else it
    if "enum" in of:
        return [(value, in_a_line(value)) for value in of["enum"]]
    titled = of.get("oneOf") or of.get("anyOf") or ()
    return [(each["const"], in_a_line(each.get("title", each["const"]))) for each in titled]


def _value(it: dict[str, Any], said: str) -> Any:
    match it.get("type"):
        case "array":
            return [_chosen(it, part.strip()) for part in said.split(",") if part.strip()]
        case "boolean":
            if said.lower() not in (*_YES, *_NO):
                raise _NotThat("y or n")
            return said.lower() in _YES
        case "integer":
            return _number(said, int, "A whole number")
        case "number":
            return _number(said, float, "A number")
        case _:
            return _chosen(it, said) if _choices(it) else said


def _number(said: str, kind: type, wanted: str) -> Any:
    try:
        return kind(said)
    except ValueError:
        raise _NotThat(wanted) from None


def _chosen(it: dict[str, Any], said: str) -> str:
    """By its number, its value, or as it is shown."""
    choices = _choices(it)
    for number, (value, shown) in enumerate(choices, 1):
        if said in (str(number), value, shown):
            return str(value)
    raise _NotThat(f"A number from 1 to {len(choices)}")
