"""Calls of tools: allowed, checked, paid for, bounded."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.model import (
    TOOL_CALL,
    Money,
    Outcome,
    Reached,
    SettledCall,
    UsageFilter,
    WorkspaceId,
)
from antiphon_server.integration.ledger.model import (
    Call as LedgerCall,
)
from antiphon_server.integration.tools.adapters.sql import SqlRuleStore
from antiphon_server.integration.tools.adapters.sql_pins import SqlPinStore
from antiphon_server.integration.tools.adapters.sql_results import SqlResultStore
from antiphon_server.integration.tools.calls import ToolCaller
from antiphon_server.integration.tools.catalogue import Catalogue
from antiphon_server.integration.tools.model import (
    Call,
    Caller,
    KeptPart,
    Result,
    ResultPart,
    Rule,
    ToolCallId,
)
from antiphon_server.integration.tools.results import MAX_TEXT_BYTES, bounded, whole
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from tests.e2e.until import PATIENCE_S
from tests.fakes.databases import opened_sqlite
from tests.integration.tools.sources import TestSource, TestSources, text, tool

WORKSPACE = WorkspaceId("ws_00000001")
ME = Caller(WORKSPACE, "conv_00000001", "turn_00000001")
ID = ToolCallId("tool_00000001")


class World:
    """A source behind the rules, and the ledger."""

    def __init__(self, source: TestSource, database: Database, ledger: SqlLedger) -> None:
        self.source = source
        self.database = database
        self.ledger = ledger
        self.catalogue = Catalogue(
            TestSources(source), SqlRuleStore(database), SqlPinStore(database)
        )
        self.seen: list[tuple[Outcome, str]] = []
        calls = PricedCalls(ledger, "me")
        self.results = SqlResultStore(database, 1_000_000)
        self.caller = ToolCaller(self.catalogue, calls, self.results, 0.2, self._observe)

    def _observe(self, outcome: Outcome, reason: str, seconds: float) -> None:
        assert 0 <= seconds < PATIENCE_S
        self.seen.append((outcome, reason))

    async def call(self, arguments: str = "{}", name: str = "test.one") -> Result:
        return await self.caller.call(ME, ID, name, arguments)

    async def refusal(self, arguments: str = "{}", name: str = "test.one") -> DomainError:
        with pytest.raises(DomainError) as caught:
            await self.call(arguments, name)
        return caught.value

    async def paid(self) -> list[SettledCall]:
        return await self.ledger.calls(UsageFilter(WORKSPACE), None, 100)


@asynccontextmanager
async def world(source: TestSource) -> AsyncIterator[World]:
    async with opened_sqlite(metadata) as database:
        ledger = SqlLedger(database)
        yield World(source, database, ledger)
        await ledger.close()


async def test_a_call_is_in_the_ledger() -> None:
    """For whom, of what, how long, at no cost."""
    async with world(TestSource(tool())) as it:
        assert (await it.call()).parts[0].content == "done"
        (entry,) = await it.paid()
        assert (entry.kind, entry.target, entry.payer.turn_id) == (
            TOOL_CALL,
            "test.one",
            ME.turn_id,
        )
        assert entry.settlement.outcome is Outcome.SUCCEEDED
        assert it.source.called[0].call_id == ID


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ('{"count": "many"}', "$.count"),
        ('{"count": 1, "more": 2}', "$"),
        ("[]", "$"),
        ("{", "$"),
        ("[" * 100_000, "$"),
    ],
)
async def test_arguments_that_break_the_schema_are_not_sent(arguments: str, path: str) -> None:
    """The refusal says where; nothing is called, and nothing paid."""
    schema = """{"type": "object", "properties": {"count": {"type": "integer"}},
        "additionalProperties": false}"""
    async with world(TestSource(tool(schema=schema))) as it:
        refused = await it.refusal(arguments)
        assert refused.reason is Reason.TOOL_ARGUMENTS_INVALID
        assert refused.metadata["path"] == path
        assert not it.source.called
        assert await it.paid() == []
        assert it.seen == [(Outcome.FAILED, "TOOL_ARGUMENTS_INVALID")]


async def test_a_reference_is_not_fetched() -> None:
    """What a schema names elsewhere is not there."""
    schema = '{"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:9/schema"}}}'
    async with world(TestSource(tool(schema=schema))) as it:
        refused = await it.refusal('{"a": 1}')
        assert refused.reason is Reason.TOOL_ARGUMENTS_INVALID
        assert refused.metadata["rule"] == "its schema can't be followed"


async def test_who_forbids_a_tool_is_obeyed() -> None:
    """It is not called, and no model is told of it; others' workspaces may."""
    async with world(TestSource(tool())) as it:
        (before,) = (await it.catalogue.plan(WORKSPACE, ["test.*"])).tools
        assert before.rule is Rule.ASK
        await it.catalogue.set_rule(WORKSPACE, "test.one", Rule.NEVER)
        assert (await it.refusal()).reason is Reason.TOOL_DENIED
        assert (await it.catalogue.plan(WORKSPACE, ["test.*"])).tools == []
        assert len((await it.catalogue.plan("ws_00000002", ["test.one"])).tools) == 1


async def test_why_a_model_is_told_of_no_tool_of_a_source_is_known() -> None:
    """It is away, by its own state; of sources that nobody named nothing is said."""
    async with world(TestSource(tool(), away=True)) as it:
        plan = await it.catalogue.plan(WORKSPACE, ["test.*"])
        assert plan.tools == []
        (away,) = plan.away
        assert away.reason is Reason.CONNECTION_UNAVAILABLE
        assert away.metadata["connection"] == "test"
        assert (await it.catalogue.plan(WORKSPACE, ["other.*"])).away == []


async def test_what_is_not_there_is_said() -> None:
    """An unknown tool, and one whose source is away, be it that nobody knows what it has."""
    async with world(TestSource(tool(), away=True)) as it:
        assert (await it.refusal(name="test.two")).reason is Reason.TOOL_NOT_FOUND
        assert (await it.refusal(name="nobody.two")).reason is Reason.TOOL_NOT_FOUND
        down = await it.refusal()
        assert down.reason is Reason.CONNECTION_UNAVAILABLE
        assert down.metadata == {"connection": "test", "state": "DOWN", "cause": "REFUSED"}
        it.source.tell()
        unknown = await it.refusal(name="test.two")
        assert (unknown.reason, unknown.metadata) == (down.reason, down.metadata)


async def test_one_that_hangs_is_closed() -> None:
    """After its limit, and settled so; a stop closes and settles it, too."""

    async def hang(call: Call) -> Result:
        await asyncio.Event().wait()
        raise AssertionError

    async with world(TestSource(tool(), answer=hang)) as it:
        late = await it.refusal()
        assert (late.reason, late.metadata["timeout_ms"]) == (Reason.TOOL_TIMEOUT, "200")
        asking = asyncio.create_task(it.call())
        await asyncio.sleep(0.05)
        asking.cancel()
        await asyncio.wait([asking])
        assert it.source.closed == 2
        outcomes = [entry.settlement.outcome for entry in await it.paid()]
        assert outcomes == [Outcome.CANCELLED, Outcome.FAILED]
        assert it.seen == [(Outcome.FAILED, "TOOL_TIMEOUT"), (Outcome.CANCELLED, "")]


async def test_a_result_that_breaks_its_schema_is_kept_and_says_so() -> None:
    """The model may still make something of it."""

    async def odd(call: Call) -> Result:
        return Result((ResultPart("text", "7"),), {"temperature": "warm"})

    output = '{"type": "object", "properties": {"temperature": {"type": "number"}}}'
    async with world(TestSource(tool(output=output), answer=odd)) as it:
        kept, note = (await it.call()).parts
        assert kept.content == "7"
        assert "$.temperature" in note.content


async def test_what_changes_while_it_is_paid_for_is_not_called() -> None:
    """Between the check and the call others come and go; the ledger says why it failed."""

    class Slow(SqlLedger):
        async def open(self, call: LedgerCall, owner: str) -> Sequence[Reached]:
            reached = await super().open(call, owner)
            source.tell(tool(schema='{"type": "object", "title": "changed"}'))
            return reached

    source = TestSource(tool())
    async with opened_sqlite(metadata) as database:
        ledger = Slow(database)
        it = World(source, database, ledger)
        assert (await it.refusal()).reason is Reason.TOOL_HELD
        assert not source.called
        (entry,) = await it.paid()
        assert entry.settlement.error_reason == "TOOL_HELD"
        await ledger.close()


class TestLease:
    """A server's, of which others can take over."""

    __test__ = False
    held, term = True, 0


@pytest.mark.parametrize("turn_id", [ME.turn_id, ""])
@pytest.mark.parametrize("change", [("held", False), ("term", 1)])
async def test_who_has_lost_a_turn_does_not_begin_its_calls(
    turn_id: str, change: tuple[str, object]
) -> None:
    """Whoever stands still before anything is sent; what clients call is nobody else's."""
    lease = TestLease()

    async def begun(call: Call) -> Result:
        setattr(lease, *change)
        call.begins()
        return text("made")

    async with world(TestSource(tool(), answer=begun)) as it:
        calls = PricedCalls(it.ledger, "me")
        caller = ToolCaller(it.catalogue, calls, it.results, lease=lease)
        made = caller.call(replace(ME, turn_id=turn_id), ID, "test.one", "{}")
        if not turn_id:
            assert (await made).parts[0].content == "made"
            return
        with pytest.raises(DomainError) as refused:
            await made
        assert refused.value.reason is Reason.DRAINING


def test_a_large_result_is_cut_and_counted() -> None:
    """64 KiB of text remain, whole characters, and what else fits."""
    picture = ResultPart("image", "https://example.com/a.png", "image/png")
    parts = (ResultPart("text", "ä" * MAX_TEXT_BYTES), ResultPart("text", "more"), picture)
    cut = bounded(Result(parts))
    assert cut.parts == (ResultPart("text", "ä" * (MAX_TEXT_BYTES // 2)), picture)
    assert cut.omitted_bytes == MAX_TEXT_BYTES + 4


def test_a_small_result_stays_as_it_is() -> None:
    """Nothing is left out of it."""
    assert bounded(text("done")) == text("done")


async def test_a_large_result_is_kept_whole() -> None:
    """Its first part is told, the rest is read beside; data is referred to."""
    long, png = "ä" * MAX_TEXT_BYTES, b"\x89PNG" * 1_000
    data = "data:image/png;base64," + base64.b64encode(png).decode()
    parts = ResultPart("text", long), ResultPart("image", data, "image/png")

    async def answer(_: Call) -> Result:
        return Result(parts)

    async with world(TestSource(tool(), answer=answer)) as it:
        result = await it.call()
        assert (result.kept, result.omitted_bytes) == (True, MAX_TEXT_BYTES)
        assert result.parts[1] == ResultPart("image", f"antiphon:{ID}/1", "image/png")
        text_piece = await it.results.read(ME.conversation_id, ID, 0, 0, len(long) * 2)
        assert text_piece.data.decode() == long
        piece = await it.results.read(ME.conversation_id, ID, 1, 0, 10_000)
        assert (piece.data, piece.media_type, piece.parts) == (png, "image/png", 2)


async def test_many_short_texts_are_kept_as_one() -> None:
    """So is none of them left out."""
    lines = [f"line {number}" for number in range(1_000)]

    async def answer(_: Call) -> Result:
        return Result(tuple(ResultPart("text", line) for line in lines))

    async with world(TestSource(tool(), answer=answer)) as it:
        result = await it.call()
        assert result == text("\n".join(lines))


async def test_half_a_character_of_a_result_is_shown_as_none() -> None:
    """What a call has done is told, whatever its source has made of it."""

    async def answer(_: Call) -> Result:
        return text("half \ud800" + "x" * MAX_TEXT_BYTES)

    async with world(TestSource(tool(), answer=answer)) as it:
        result = await it.call()
        assert result.kept
        assert result.parts[0].content.startswith("half ?x")


class Broken(SqlResultStore):
    """Its database has gone."""

    async def keep(self, *_: object) -> bool:
        raise OSError("the disk is full")


async def test_a_result_that_cannot_be_kept_is_told_as_far_as_it_fits() -> None:
    """That the call was made is not lost; a small one is not stored at all."""

    async def answer(_: Call) -> Result:
        return text("x" * (MAX_TEXT_BYTES + 7))

    async with world(TestSource(tool(), answer=answer)) as it:
        it.caller._results = Broken(it.database, 0)
        result = await it.call()
        assert (result.kept, result.omitted_bytes) == (False, 7)
        assert result.parts == text("x" * MAX_TEXT_BYTES).parts
    async with world(TestSource(tool())) as it:
        it.caller._results = Broken(it.database, 0)
        assert await it.call() == text("done")


def test_a_type_that_is_none_is_not_passed_on() -> None:
    """Nor is data that can't be decoded taken for what it says."""
    part = ResultPart("image", "data:image/png;base64,%%%", "image/png\r\nX: <b>")
    assert whole(Result((part,))) == [KeptPart("image", "application/octet-stream", b"")]


@pytest.mark.parametrize("reason", [None, Reason.TOOL_FAILED, Reason.CONNECTION_UNAVAILABLE])
async def test_a_price_is_booked_for_a_call_that_was_sent(reason: Reason | None) -> None:
    """However it ends; one that reached nobody costs nothing."""

    async def answer(call: Call) -> Result:
        if reason is None:
            return text("done")
        raise DomainError(reason, tool=call.tool, why="test", connection="test", state="DOWN")

    async with world(TestSource(tool(), answer=answer)) as it:
        await it.catalogue.set_price(WORKSPACE, "test.one", Money("USD", 7))
        with suppress(DomainError):
            await it.call()
        (entry,) = await it.paid()
        cost = 0 if reason is Reason.CONNECTION_UNAVAILABLE else 7
        assert entry.settlement.usage.cost == Money("USD", cost)
