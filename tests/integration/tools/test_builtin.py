"""The tools that every server has."""

import json
from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from antiphon_server.integration.tools.adapters.builtin import MOST_READ, SEARCH, TIME, BuiltIn
from antiphon_server.integration.tools.model import Call, Caller, Json, Result, ToolCallId
from antiphon_server.integration.tools.ports import SaidMessage
from antiphon_server.runtime.errors import DomainError, Reason

CALLER = Caller("ws_00000001", "conv_00000001", "turn_now")


class Said:
    """Messages as they are given, the newest first."""

    def __init__(self, *texts: str) -> None:
        self.read = 0
        self._texts = texts

    async def newest(self, conversation_id: str) -> AsyncIterator[SaidMessage]:
        assert conversation_id == CALLER.conversation_id
        for number, text in enumerate(self._texts):
            self.read += 1
            turn = "turn_now" if number == 0 else "turn_before"
            yield SaidMessage("users/user_anna", text, "2026-11-24T08:00:00Z", turn)


async def called(tool: str, arguments: dict[str, Json], *texts: str) -> Result:
    source = BuiltIn(Said(*texts))
    name = TIME if tool == "time" else SEARCH
    return await source.call(Call(ToolCallId("tool_00000001"), name, arguments, CALLER))


async def test_the_time_in_a_zone() -> None:
    """With its offset and weekday; UTC where no zone is named."""
    told = (await called("time", {"zone": "Asia/Tokyo"})).structured
    assert isinstance(told, dict)
    time = datetime.fromisoformat(str(told["time"]))
    offset = time.utcoffset()
    assert offset is not None
    assert offset.total_seconds() == 9 * 3600
    assert told["weekday"] == f"{time:%A}"
    utc = json.loads((await called("time", {})).parts[0].content)
    assert utc["time"].endswith("+00:00")


@pytest.mark.parametrize("zone", ["Mars/Base", "../../etc/passwd", "", "/etc/localtime", "a\0b"])
async def test_a_zone_that_there_is_not(zone: str) -> None:
    """The tool says so; no file but a zone's is read."""
    result = await called("time", {"zone": zone})
    assert result.failed
    assert "There is no time zone" in result.parts[0].content


async def test_search_finds_all_words_the_newest_first() -> None:
    """Whatever their case; the question itself is not found, and a long message is an excerpt."""
    long = "x" * 5_000 + " PARIS is lovely in spring " + "y" * 5_000
    texts = ("spring in paris?", long, "Paris in spring.", "Rome in spring.")
    told = (await called("search", {"words": "Spring paris"}, *texts)).structured
    assert isinstance(told, dict)
    found = told["found"]
    assert isinstance(found, list)
    excerpts = [str(it["excerpt"]) for it in found if isinstance(it, dict)]
    assert len(excerpts) == 2
    assert "lovely in spring" in excerpts[0]
    assert len(excerpts[0]) <= 300
    assert excerpts[1] == "Paris in spring."


async def test_search_reads_no_more_than_its_share() -> None:
    """A conversation of 100,000 messages costs what one of 2,000 does."""
    said = Said(*["hello"] * (MOST_READ + 100))
    call = Call(ToolCallId("tool_1"), SEARCH, {"words": "nothing"}, CALLER)
    assert (await BuiltIn(said).call(call)).structured == {"found": []}
    assert said.read == MOST_READ


async def test_search_needs_a_conversation() -> None:
    """A call by a client is of none."""
    call = Call(ToolCallId("tool_1"), SEARCH, {"words": "a"}, Caller("ws_00000001"))
    with pytest.raises(DomainError) as caught:
        await BuiltIn(Said()).call(call)
    assert caught.value.reason is Reason.TOOL_FAILED
