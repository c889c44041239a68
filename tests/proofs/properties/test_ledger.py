"""No call is missing from the ledger or there twice; a ledger that loses one is caught."""

from dataclasses import replace

import pytest

from antiphon_server.integration.ledger.model import Call, CallId, Settlement
from tests.fakes.memory_ledger import MemoryLedger
from tests.proofs.properties.ledger_machine import LedgerMachine
from tests.proofs.properties.machine import caught, check


@pytest.mark.parametrize(
    ("on_disk", "examples"), [(False, 40), (True, 20)], ids=["memory", "sqlite"]
)
def test_the_ledger_has_every_call_once(on_disk: bool, examples: int) -> None:
    """Whatever becomes of the answer, of who asked, and of the process."""
    check(type("Machine", (LedgerMachine,), {"on_disk": on_disk}), examples)


class Losing(MemoryLedger):
    """Forgets open calls with the process."""

    async def abandon(self, owner: str) -> int:
        self._open.clear()
        return 0


class Generous(MemoryLedger):
    """Charges nothing for long answers."""

    async def settle(self, call_id: CallId, settlement: Settlement) -> None:
        usage = settlement.usage
        if usage.quantities.output_tokens > 5:
            settlement = replace(
                settlement,
                usage=replace(usage, quantities=usage.quantities._replace(output_tokens=0)),
            )
        await super().settle(call_id, settlement)


class Late(MemoryLedger):
    """Notes a call only once it is settled."""

    async def open(self, call: Call, owner: str) -> None:
        self._late = getattr(self, "_late", {}) | {call.call_id: (call, owner)}

    async def settle(self, call_id: CallId, settlement: Settlement) -> None:
        self._open[call_id] = self._late.pop(call_id)
        await super().settle(call_id, settlement)


@pytest.mark.proof
@pytest.mark.parametrize("ledger", [Losing, Generous, Late], ids=str)
def test_a_defective_ledger_is_caught(ledger: type[MemoryLedger]) -> None:
    """What it loses is missed."""
    caught(type("Machine", (LedgerMachine,), {"memory_type": ledger}))
