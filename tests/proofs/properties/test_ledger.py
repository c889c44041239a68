"""No call is missing from the ledger or there twice; a ledger that loses one is caught."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import delete

from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.adapters.tables import calls
from antiphon_server.integration.ledger.model import (
    Call,
    CallId,
    Charge,
    Overrun,
    Reached,
    Settlement,
)
from antiphon_server.runtime.storage.database import Database
from tests.proofs.properties.ledger_machine import LedgerMachine
from tests.proofs.properties.machine import caught, check


def test_the_ledger_has_every_call_once() -> None:
    """Whatever becomes of the answer, of who asked, and of the process."""
    check(LedgerMachine, examples=40)


class Losing(SqlLedger):
    """Forgets open calls with the process."""

    async def abandon(self, owner: str) -> int:
        still_open = delete(calls).where(calls.c.outcome.is_(None))
        await self._database.write(lambda connection: connection.execute(still_open))
        return 0


class Generous(SqlLedger):
    """Charges nothing for long answers."""

    async def settle(
        self, call_id: CallId, settlement: Settlement, charges: Sequence[Charge] = ()
    ) -> Sequence[Overrun]:
        usage = settlement.usage
        if usage.quantities.output_tokens > 5:
            settlement = replace(
                settlement,
                usage=replace(usage, quantities=usage.quantities._replace(output_tokens=0)),
            )
        return await super().settle(call_id, settlement, charges)


class Late(SqlLedger):
    """Notes a call only once it is settled."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._late: dict[CallId, tuple[Call, str]] = {}

    async def open(self, call: Call, owner: str) -> Sequence[Reached]:
        self._late[call.call_id] = (call, owner)
        return ()

    async def settle(
        self, call_id: CallId, settlement: Settlement, charges: Sequence[Charge] = ()
    ) -> Sequence[Overrun]:
        await super().open(*self._late.pop(call_id))
        return await super().settle(call_id, settlement, charges)


@pytest.mark.proof
@pytest.mark.parametrize("ledger", [Losing, Generous, Late], ids=str)
def test_a_defective_ledger_is_caught(ledger: type[SqlLedger]) -> None:
    """What it loses is missed."""
    caught(type("Machine", (LedgerMachine,), {"ledger_type": ledger}))
