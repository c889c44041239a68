"""The tools that every server has."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import cast

import pytest

from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.tools.adapters.builtin import (
    RESULT,
    SEARCH,
    TIME,
    WHITEBOARD,
    BuiltIn,
)
from antiphon_server.integration.tools.adapters.sql_results import SqlResultStore
from antiphon_server.integration.tools.model import (
    Call,
    Caller,
    Json,
    KeptPart,
    Result,
    ToolCallId,
)
from antiphon_server.integration.tools.ports import Found, FoundMessage, Noted, ResultStore
from antiphon_server.runtime.errors import DomainError, Reason
from tests.e2e.refusals import Refused
from tests.fakes.databases import opened_sqlite

LARGE = ToolCallId("tool_large001")
CALLER = Caller("ws_00000001", "conv_00000001", "turn_now")


class Searched:
    """A conversation in which all is found, in the order in which it is given."""

    def __init__(self, *texts: str, is_whole: bool = True) -> None:
        self.asked: list[str] = []
        self._texts, self._is_whole = texts, is_whole

    async def search(self, conversation_id: str, query: str, limit: int) -> Found:
        assert conversation_id == CALLER.conversation_id
        self.asked.append(query)
        found = [
            FoundMessage("users/user_anna", text, "2026-11-24T08:00:00Z", _turn(number))
            for number, text in enumerate(self._texts[:limit])
        ]
        return Found(found, self._is_whole)


def _turn(number: int) -> str:
    return "turn_before" if number else "turn_now"


class Board:
    """A whiteboard of which is known what was written."""

    def __init__(self) -> None:
        self.written: list[tuple[str, str, Noted]] = []

    async def write(
        self, conversation_id: str, turn_id: str, call_id: ToolCallId, note: Noted
    ) -> str:
        self.written.append((conversation_id, turn_id, note))
        return "written"


async def called(arguments: dict[str, Json]) -> Result:
    async with built_in(Searched()) as source:
        return await source.call(Call(ToolCallId("tool_00000001"), TIME, arguments, CALLER))


@asynccontextmanager
async def built_in(said: Searched, *kept: KeptPart) -> AsyncIterator[BuiltIn]:
    """The tools, beside a result that is kept."""
    async with opened_sqlite(metadata) as database:
        results = SqlResultStore(database, 1_000_000)
        if kept:
            await results.keep(CALLER, LARGE, kept)
        yield BuiltIn(said, results, Board())


async def test_the_time_in_a_zone() -> None:
    """With its offset and weekday; UTC where no zone is named."""
    told = (await called({"zone": "Asia/Tokyo"})).structured
    assert isinstance(told, dict)
    time = datetime.fromisoformat(str(told["time"]))
    offset = time.utcoffset()
    assert offset is not None
    assert offset.total_seconds() == 9 * 3600
    assert told["weekday"] == f"{time:%A}"
    utc = json.loads((await called({})).parts[0].content)
    assert utc["time"].endswith("+00:00")


@pytest.mark.parametrize("zone", ["Mars/Base", "../../etc/passwd", "", "/etc/localtime", "a\0b"])
async def test_a_zone_that_there_is_not(zone: str) -> None:
    """The tool says so; no file but a zone's is read."""
    result = await called({"zone": zone})
    assert result.failed
    assert "There is no time zone" in result.parts[0].content


async def test_search_tells_what_fits_best() -> None:
    """Who said it and when; not what is asked just now, and ten at most."""
    searched = Searched(*(f"text {number}" for number in range(30)))
    told = await searched_for(searched, "Spring paris")
    assert searched.asked == ["Spring paris"]
    found = told["found"]
    assert isinstance(found, list)
    assert [it["excerpt"] for it in found if isinstance(it, dict)] == [
        f"text {number}" for number in range(1, 11)
    ]
    assert found[0] == {
        "author": "users/user_anna",
        "time": "2026-11-24T08:00:00Z",
        "excerpt": "text 1",
    }
    assert "incomplete" not in told


async def test_search_tells_that_there_may_be_more() -> None:
    """While the conversation is read for the first time."""
    assert (await searched_for(Searched(is_whole=False), "a"))["incomplete"] is True


async def searched_for(searched: Searched, query: str) -> Mapping[str, Json]:
    async with built_in(searched) as source:
        call = Call(ToolCallId("tool_00000001"), SEARCH, {"query": query}, CALLER)
        told = (await source.call(call)).structured
    assert isinstance(told, dict)
    return told


async def test_search_needs_a_conversation() -> None:
    """A call by a client is of none."""
    call = Call(ToolCallId("tool_1"), SEARCH, {"query": "a"}, Caller("ws_00000001"))
    async with built_in(Searched()) as source:
        with pytest.raises(DomainError) as caught:
            await source.call(call)
    assert caught.value.reason is Reason.TOOL_FAILED


async def test_a_model_reads_on_in_a_large_result() -> None:
    """Piece by piece to its end, told where it is; a character is never torn into others."""
    text = "aä€" * 20_000
    async with built_in(Searched(), KeptPart("text", "text/plain", text.encode())) as source:
        read, offset = "", 0
        for _ in range(4):
            arguments: dict[str, Json] = {"call_id": LARGE, "offset": offset}
            result = await source.call(Call(ToolCallId("tool_1"), RESULT, arguments, CALLER))
            read += result.parts[0].content
            if "end of it" in result.parts[1].content:
                break
            offset = int(result.parts[1].content.rpartition("offset ")[2].rstrip(")"))
        assert read == text


async def test_a_model_is_told_what_it_cannot_read() -> None:
    """Data that is no text, and what is not kept."""
    picture = KeptPart("image", "image/png", b"png")
    async with built_in(Searched(), picture) as source:
        for call_id, told in ((LARGE, "image/png, 3 bytes"), ("tool_other", "Nothing is kept")):
            arguments: dict[str, Json] = {"call_id": call_id}
            result = await source.call(Call(ToolCallId("tool_1"), RESULT, arguments, CALLER))
            assert result.failed
            assert told in result.parts[0].content


@pytest.mark.parametrize("name", ["Plan", "Offene Fragen", "हिन्दी", "v1.2_x-y"])
async def test_a_section_of_the_whiteboard(name: str) -> None:
    """Is written for the turn that asks for it."""
    source = BuiltIn(Searched(), cast(ResultStore, None), board := Board())
    arguments: dict[str, Json] = {"section": name, "text": "walk", "append": True}
    told = await source.call(Call(ToolCallId("tool_00000001"), WHITEBOARD, arguments, CALLER))
    assert told.parts[0].content == "written"
    assert board.written == [("conv_00000001", "turn_now", Noted(name, "walk", True))]


@pytest.mark.parametrize("name", ["a  b", " a", "a\nb", "<b>", "a\u2028b", "-"])
async def test_a_section_that_nobody_may_call_so(name: str) -> None:
    """The model is told, and nothing is written."""
    source = BuiltIn(Searched(), cast(ResultStore, None), board := Board())
    arguments: dict[str, Json] = {"section": name, "text": "walk"}
    with Refused(Reason.TOOL_ARGUMENTS_INVALID):
        await source.call(Call(ToolCallId("tool_00000001"), WHITEBOARD, arguments, CALLER))
    assert board.written == []
