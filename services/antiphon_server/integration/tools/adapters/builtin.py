"""The tools that every server has: the time, and search in the conversation."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from antiphon_server.integration.tools.model import (
    Annotations,
    Call,
    Definition,
    Result,
    ResultPart,
    SourceName,
    ToolName,
)
from antiphon_server.integration.tools.ports import Messages
from antiphon_server.runtime.errors import DomainError, Reason

NAME = SourceName("antiphon")
TIME = ToolName("antiphon.time")
SEARCH = ToolName("antiphon.search")
MOST_FOUND = 10
MOST_READ = 2_000
"""So many of the newest messages are looked through."""
EXCERPT = 300
_READS = Annotations(read_only=True, idempotent=True, open_world=False)
_DEFINITIONS = {
    TIME: Definition(
        TIME,
        "Says what time and which weekday it is in a time zone.",
        """{"type": "object", "additionalProperties": false, "properties": {"zone": {
            "type": "string", "maxLength": 64, "description":
            "An IANA name such as Europe/Zurich; UTC if left out."}}}""",
        """{"type": "object", "required": ["zone", "time", "weekday"], "properties": {
            "zone": {"type": "string"}, "time": {"type": "string", "format": "date-time"},
            "weekday": {"type": "string"}}}""",
        "Time",
        _READS,
    ),
    SEARCH: Definition(
        SEARCH,
        "Finds what was said in this conversation: messages that have all the words, the newest"
        " first.",
        """{"type": "object", "additionalProperties": false, "required": ["words"],
            "properties": {"words": {"type": "string", "minLength": 1, "maxLength": 256}}}""",
        """{"type": "object", "required": ["found"], "properties": {"found": {"type": "array",
            "items": {"type": "object", "required": ["author", "time", "excerpt"]}}}}""",
        "Search",
        _READS,
    ),
}


class BuiltIn:
    """A :class:`~antiphon_server.integration.tools.ports.Source` that is always there."""

    name = NAME
    trusted = True
    away = False

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def definitions(self) -> Mapping[ToolName, Definition]:
        return _DEFINITIONS

    async def call(self, call: Call) -> Result:
        if call.tool == TIME:
            return await _time(str(call.arguments.get("zone", "UTC")))
        if call.tool == SEARCH:
            return await self._search(call)
        raise DomainError(Reason.TOOL_NOT_FOUND, tool=call.tool)

    async def _search(self, call: Call) -> Result:
        conversation_id = call.caller.conversation_id
        if not conversation_id:
            raise DomainError(
                Reason.TOOL_FAILED, tool=SEARCH, why="it searches the conversation of a turn"
            )
        words = str(call.arguments["words"]).casefold().split()
        found: list[dict[str, str]] = []
        read = 0
        async for it in self._messages.newest(conversation_id):
            text = it.text.casefold()
            asks_itself = it.turn_id == call.caller.turn_id
            if not asks_itself and all(word in text for word in words):
                excerpt = _excerpt(it.text, text.find(words[0]) if words else 0)
                found.append({"author": it.author, "time": it.time, "excerpt": excerpt})
            read += 1
            if len(found) == MOST_FOUND or read == MOST_READ:
                break
        return _result({"found": found})


async def _time(zone: str) -> Result:
    try:  # its first look at a zone reads a file
        known = await asyncio.to_thread(ZoneInfo, zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return Result((ResultPart("text", f"There is no time zone {zone!r}."),), failed=True)
    now = datetime.now(UTC).astimezone(known)
    told = {
        "zone": zone,
        "time": now.isoformat(timespec="seconds"),
        "weekday": f"{now:%A}",
    }
    return _result(told)


def _result(structured: "dict[str, str] | dict[str, list[dict[str, str]]]") -> Result:
    text = json.dumps(structured, ensure_ascii=False)
    return Result((ResultPart("text", text),), json.loads(text))


def _excerpt(text: str, at: int) -> str:
    begin = max(0, at - EXCERPT // 2)
    return text[begin : begin + EXCERPT]
