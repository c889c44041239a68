"""Calls that a model writes as lines of JSON among its text; see told_tools.py."""

import json
import re
from collections.abc import AsyncGenerator, Collection, Iterator
from contextlib import aclosing
from dataclasses import replace

from antiphon_server.integration.models.adapters.openai_calls import MAX_ARGUMENTS, MAX_CALLS
from antiphon_server.integration.models.adapters.tool_names import ToolNames
from antiphon_server.integration.models.model import (
    WORKING,
    FinishReason,
    ModelEnd,
    ModelStep,
    ToolCall,
    ToolCallId,
)
from antiphon_server.runtime.encoding.ids import new_id

_OPENINGS = ('{"name":"', '```json{"name":"', '```{"name":"')
_LONGEST_OPENING = 64
_BETWEEN = re.compile(r"\s*(?:```(?:json)?\s*)*")
_decode = json.JSONDecoder().raw_decode


class WrittenCalls:
    """Lets text through, and keeps what begins as a line that calls one of the tools."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._held = ""
        self._in_line = False

    def feed(self, text: str) -> str:
        """The text that can't be a call."""
        self._held += text
        said = ""
        while self._held and (self._in_line or not _may_be_call(self._held)):
            line, end, self._held = self._held.partition("\n")
            self._in_line = not end
            said += line + end
        return said

    def end(self) -> tuple[str, list[tuple[str, str]]]:
        """What was kept: the text in it, and names and arguments of calls."""
        held, at, calls = self._held, 0, list[tuple[str, str]]()
        while len(calls) < MAX_CALLS and (found := self._call(held, at)):
            name, arguments, at = found
            calls.append((name, arguments))
        return held[_after(held, at) :] if calls else held, calls

    def _call(self, held: str, at: int) -> tuple[str, str, int] | None:
        try:
            value, end = _decode(held, _after(held, at))
        except (ValueError, RecursionError):
            return None
        if not isinstance(value, dict) or value.keys() != {"name", "arguments"}:
            return None
        name = value["name"]
        if not isinstance(name, str) or name not in self._names:
            return None
        return name, json.dumps(value["arguments"], ensure_ascii=False), end


async def with_calls(
    steps: AsyncGenerator[ModelStep, None], names: ToolNames, told: Collection[str]
) -> AsyncGenerator[ModelStep, None]:
    """The steps of an answer with the calls that stand in its text."""
    written = WrittenCalls(told)
    async with aclosing(steps):
        async for step in steps:
            if isinstance(step, str):
                yield written.feed(step) or WORKING
            elif isinstance(step, ModelEnd):
                for last in _ending(step, *written.end(), names):
                    yield last
            else:
                yield step


def _ending(
    end: ModelEnd, text: str, calls: list[tuple[str, str]], names: ToolNames
) -> Iterator[ModelStep]:
    if text:
        yield text
    for name, arguments in calls:
        yield ToolCall(ToolCallId(new_id("tool")), names.known(name), arguments)
    cut = end.reason is FinishReason.LENGTH
    yield replace(end, reason=FinishReason.TOOL_CALLS) if calls and not cut else end


def _may_be_call(held: str) -> bool:
    opening = "".join(held[:_LONGEST_OPENING].split())
    may = any(it.startswith(opening) or opening.startswith(it) for it in _OPENINGS)
    return may and len(held) <= MAX_ARGUMENTS


def _after(held: str, at: int) -> int:
    between = _BETWEEN.match(held, at)
    return between.end() if between else at
