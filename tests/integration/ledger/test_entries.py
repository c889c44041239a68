"""Entries of calls that cost nothing are closed, however their calls end."""

import asyncio
from collections.abc import Sequence

import pytest

from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.entries import Entry, entered
from antiphon_server.integration.ledger.model import (
    Call,
    Money,
    Outcome,
    Payer,
    Reached,
    UsageFilter,
    WorkspaceId,
)
from antiphon_server.runtime.errors import DomainError, Reason
from tests.fakes.databases import opened_sqlite

PAYER = Payer(WorkspaceId("ws_00000001"))


async def test_who_is_cancelled_while_it_is_written_down_leaves_nothing_open() -> None:
    """The entry is settled as cancelled, and costs nothing: the block never began."""
    writes = asyncio.Event()

    class Slow(SqlLedger):
        async def open(self, call: Call, owner: str) -> Sequence[Reached]:
            writes.set()
            await asyncio.sleep(0.05)
            return await super().open(call, owner)

    async with opened_sqlite(metadata) as database:
        ledger = Slow(database)

        async def call() -> None:
            price = Money("USD", 7)
            async with entered(PricedCalls(ledger, "me"), PAYER, "test.one", price=price):
                raise AssertionError("it was cancelled before")

        calling = asyncio.create_task(call())
        await writes.wait()
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        assert await ledger.abandon("me") == 0
        (settled,) = await ledger.calls(UsageFilter(PAYER.workspace_id), None, 10)
        assert settled.settlement.usage.cost == Money("USD", 0)
        await ledger.close()


async def test_an_entry_says_how_its_call_ended() -> None:
    """By what was raised, unless the block has said it itself."""
    async with opened_sqlite(metadata) as database:
        ledger, failed, said = SqlLedger(database), Entry(), Entry()
        calls = PricedCalls(ledger, "me")
        with pytest.raises(DomainError):
            async with entered(calls, PAYER, "test.one", failed):
                raise DomainError(Reason.TOOL_TIMEOUT, tool="test.one", timeout_ms=1)
        async with entered(calls, PAYER, "test.one", said):
            said.outcome = Outcome.FAILED
        async with entered(calls, PAYER, "test.one") as fine:
            pass
        assert (failed.outcome, failed.reason) == (Outcome.FAILED, "TOOL_TIMEOUT")
        assert (said.outcome, fine.outcome) == (Outcome.FAILED, Outcome.SUCCEEDED)
        assert await ledger.abandon("me") == 0
        await ledger.close()


async def test_a_call_that_was_lost_costs_what_one_does_that_was_made() -> None:
    """Its turn's log has it started: whether its tool was reached nobody knows."""
    async with opened_sqlite(metadata) as database:
        ledger, price = SqlLedger(database), Money("USD", 40)
        async with entered(PricedCalls(ledger, "me"), PAYER, "test.one", price=price):
            assert await ledger.abandon("me") == 1
            (lost,) = await ledger.calls(UsageFilter(PAYER.workspace_id), None, 9)
        assert (lost.settlement.outcome, lost.settlement.usage.cost) == (Outcome.UNKNOWN, price)
        await ledger.close()
