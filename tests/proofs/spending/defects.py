"""Parts of a server that lose or forge money: the rig has to notice each."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import update

from antiphon_server.integration.ledger.adapters.row import usage_columns
from antiphon_server.integration.ledger.adapters.sql import _ABANDON, SqlLedger
from antiphon_server.integration.ledger.adapters.tables import calls
from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.model import Call, Settlement, Usage
from antiphon_server.integration.models.attempt import Attempts
from antiphon_server.integration.models.lost import LostAnswers
from tests.proofs.overspend.defects import Unconditional
from tests.proofs.spending.server import Kinds


class Forgetful(PricedCalls):
    """Forgets what the store did not take in time."""

    def _keep(self, call: Call, settlement: Settlement | None) -> None:
        """Do nothing."""


class Holding(SqlLedger):
    """Gives calls up, and keeps what was reserved for them."""

    async def abandon(self, owner: str) -> int:
        row = {"b_owner": owner}
        return await self._database.write(lambda it: int(it.execute(_ABANDON, row).rowcount))


class Repricing(Attempts):
    """Charges the prices of the end."""

    async def _settle(self, call: Call, model: Any, progress: Any, error: Any) -> Usage:
        progress.prices = None
        return await super()._settle(call, model, progress, error)


class Unbooked(SqlLedger):
    """Settles the ledger, and not the windows."""

    async def settle(self, call_id: Any, settlement: Any, charges: Any = ()) -> Any:
        return await super().settle(call_id, settlement)


class Unread(LostAnswers):
    """Books the prompt alone of calls that were lost."""

    async def answered(self, payer: Any, created_us: int, text_bytes: int) -> None:
        """Do nothing."""


class Unmoved(SqlLedger):
    """Writes into the ledger what is known of what was given up, and not into the windows."""

    async def expect(self, call_id: Any, usage: Usage) -> Any:
        row = update(calls).where(calls.c.call_id == call_id).values(usage_columns(usage))
        await self._database.write(lambda it: it.execute(row) and None)
        return ()


KINDS: Mapping[str, Kinds] = {
    "sound": Kinds(),
    "unconditional": Kinds(ledger=Unconditional),
    "forgetful": Kinds(calls=Forgetful),
    "holding": Kinds(ledger=Holding),
    "repricing": Kinds(attempts=Repricing),
    "unbooked": Kinds(ledger=Unbooked),
    "unread": Kinds(lost=Unread),
    "unmoved": Kinds(ledger=Unmoved),
}
