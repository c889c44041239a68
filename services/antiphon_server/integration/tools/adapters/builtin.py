"""The tools that every server has: the time, what was said or found in the conversation, people."""

import asyncio
import json
import re
from codecs import getincrementaldecoder
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from unicodedata import category
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from antiphon_server.integration.tools.model import (
    Annotations,
    Call,
    Definition,
    Json,
    Piece,
    Result,
    ResultPart,
    SourceName,
    ToolCallId,
    ToolName,
)
from antiphon_server.integration.tools.ports import Noted, ResultStore, Searches, Whiteboards
from antiphon_server.runtime.errors import DomainError, Reason

NAME = SourceName("antiphon")
TIME = ToolName("antiphon.time")
SEARCH = ToolName("antiphon.search")
RESULT = ToolName("antiphon.result")
HAND_OFF = ToolName("antiphon.hand_off")
WHITEBOARD = ToolName("antiphon.whiteboard")
MOST_FOUND = 10
OWN = 4
"""So many more are looked for, as some are of the turn that asks."""
PIECE = 32 * 1024
"""Bytes of a result that are read at once."""
_BETWEEN_WORDS = re.compile("[ ._-]")
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
        "Finds what was said in this conversation: the messages that fit best to what is asked for,"
        " the best first.",
        """{"type": "object", "additionalProperties": false, "required": ["query"],
            "properties": {"query": {"type": "string", "minLength": 1, "maxLength": 256,
            "description": "Words or a question, such as: who pays the invoice of march"}}}""",
        """{"type": "object", "required": ["found"], "properties": {"found": {"type": "array",
            "items": {"type": "object", "required": ["author", "time", "excerpt"]}},
            "incomplete": {"type": "boolean", "description":
            "Whether the conversation is still being read: a search soon after finds more."}}}""",
        "Search",
        _READS,
    ),
    RESULT: Definition(
        RESULT,
        "Reads on in the result of a call that was too long to be told whole.",
        """{"type": "object", "additionalProperties": false, "required": ["call_id"],
            "properties": {"call_id": {"type": "string", "maxLength": 80},
            "part": {"type": "integer", "minimum": 0, "maximum": 31,
            "description": "Which part of the result; 0 if left out."},
            "offset": {"type": "integer", "minimum": 0,
            "description": "The first byte to read; 0 if left out."}}}""",
        "",
        "Result",
        _READS,
    ),
    HAND_OFF: Definition(
        HAND_OFF,
        "Leaves the answer to people, who see the conversation. Use it when you are asked for a"
        " person, or must not decide yourself. It ends what you say.",
        """{"type": "object", "additionalProperties": false, "required": ["reason"],
            "properties": {"reason": {"type": "string", "minLength": 1, "maxLength": 512,
            "description": "Why, in a sentence, for those who will answer."},
            "queue": {"enum": ["members", "admins"],
            "description": "Who shall answer; members if left out."}}}""",
        "",
        "Hand off",
        Annotations(open_world=False),
    ),
    WHITEBOARD: Definition(
        WHITEBOARD,
        "Writes a section of this conversation's whiteboard: the working notes that you are shown"
        " with each message. Keep there what has to be known later: plans, decisions, questions.",
        """{"type": "object", "additionalProperties": false, "required": ["section", "text"],
            "properties": {"section": {"type": "string", "minLength": 1, "maxLength": 48,
            "description": "Its name in letters, digits and single spaces, such as: Plan"},
            "text": {"type": "string", "maxLength": 8192, "description":
            "What it shall say; an empty text takes the section away."},
            "append": {"type": "boolean", "description":
            "Whether text goes behind what the section says, in place of replacing it."}}}""",
        "",
        "Whiteboard",
        Annotations(open_world=False),
    ),
}


class BuiltIn:
    """A :class:`~antiphon_server.integration.tools.ports.Source` that is always there."""

    name = NAME
    trusted = True
    leads_to = ""
    away = False
    why: Mapping[str, str] = MappingProxyType({})
    retry_after_s: float | None = None

    def __init__(self, searches: Searches, results: ResultStore, whiteboards: Whiteboards) -> None:
        self._searches, self._results, self._whiteboards = searches, results, whiteboards

    def definitions(self) -> Mapping[ToolName, Definition]:
        return _DEFINITIONS

    async def call(self, call: Call) -> Result:
        if call.tool == TIME:
            return await _time(str(call.arguments.get("zone", "UTC")))
        if call.tool == SEARCH:
            return await self._search(call)
        if call.tool == RESULT:
            return await self._read(call)
        if call.tool == WHITEBOARD:
            return await self._write(call)
        if call.tool == HAND_OFF:  # agents do that themselves, with turns of theirs
            why = "only the assistant hands its own turns off by it; workers have Finish.hand_off"
            raise DomainError(Reason.TOOL_FAILED, tool=HAND_OFF, why=why)
        raise DomainError(Reason.TOOL_NOT_FOUND, tool=call.tool)

    async def _read(self, call: Call) -> Result:
        call_id, part = ToolCallId(str(call.arguments["call_id"])), _number(call, "part")
        offset, where = _number(call, "offset"), call.caller.conversation_id
        try:
            piece = await self._results.read(where, call_id, part, offset, PIECE)
        except DomainError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise
            told = f"Nothing is kept of part {part} of {call_id}."
            return Result((ResultPart("text", told),), failed=True)
        return _read_text(part, offset, piece)

    async def _write(self, call: Call) -> Result:
        where, said = call.caller, call.arguments
        if not where.conversation_id or not where.turn_id:
            why = "it writes on the whiteboard of a turn's conversation"
            raise DomainError(Reason.TOOL_FAILED, tool=WHITEBOARD, why=why)
        note = Noted(str(said["section"]), str(said["text"]), said.get("append") is True)
        if not _is_name(note.section):
            rule = "letters and digits are wanted, and single spaces, dots, _ or - between them"
            raise DomainError(
                Reason.TOOL_ARGUMENTS_INVALID, tool=WHITEBOARD, path="$.section", rule=rule
            )
        told = await self._whiteboards.write(
            where.conversation_id, where.turn_id, call.call_id, note
        )
        return Result((ResultPart("text", told),))

    async def _search(self, call: Call) -> Result:
        conversation_id = call.caller.conversation_id
        if not conversation_id:
            raise DomainError(
                Reason.TOOL_FAILED, tool=SEARCH, why="it searches the conversation of a turn"
            )
        # What asks finds itself first, and is of the turn that calls.
        query = str(call.arguments["query"])
        answer = await self._searches.search(conversation_id, query, MOST_FOUND + OWN)
        others = [it for it in answer.messages if it.turn_id != call.caller.turn_id]
        found: list[Json] = [
            {"author": it.author, "time": it.time, "excerpt": it.excerpt}
            for it in others[:MOST_FOUND]
        ]
        return _result({"found": found} | ({} if answer.is_whole else {"incomplete": True}))


def _is_name(text: str) -> bool:
    """Whether a section may be called so: what the contract says of WriteSectionRequest.name."""
    words = _BETWEEN_WORDS.split(text)
    return all(word and all(category(it)[0] in "LMN" for it in word) for word in words)


def _number(call: Call, name: str) -> int:
    value = call.arguments.get(name, 0)
    return int(value) if isinstance(value, int | float) else 0


def _characters(data: bytes, *, is_last: bool) -> str:
    """The text of a piece, without a character that ends behind it."""
    return getincrementaldecoder("utf-8")("replace").decode(data, final=is_last)


def _read_text(part: int, offset: int, piece: Piece) -> Result:
    if piece.kind != "text":
        told = f"Part {part} is no text: {piece.kind}, {piece.media_type}, {piece.size} bytes."
        return Result((ResultPart("text", told),), failed=True)
    text = _characters(piece.data, is_last=offset + len(piece.data) >= piece.size)
    end = offset + len(text.encode())
    rest = f"read on with offset {end}" if end < piece.size else "this is the end of it"
    where = f"(part {part} of {piece.parts}, bytes {offset} to {end} of {piece.size}: {rest})"
    return Result((ResultPart("text", text), ResultPart("text", where)))


async def _time(zone: str) -> Result:
    try:  # its first look at a zone reads a file
        known = await asyncio.to_thread(ZoneInfo, zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return Result((ResultPart("text", f"There is no time zone {zone!r}."),), failed=True)
    now = datetime.now(UTC).astimezone(known)
    told: Mapping[str, Json] = {
        "zone": zone,
        "time": now.isoformat(timespec="seconds"),
        "weekday": f"{now:%A}",
    }
    return _result(told)


def _result(structured: Mapping[str, Json]) -> Result:
    text = json.dumps(structured, ensure_ascii=False)
    return Result((ResultPart("text", text),), json.loads(text))
