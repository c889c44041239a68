"""Parts of a server that lose or forge money: the rig has to notice each."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, update

from antiphon_server.integration.budgets.adapters.windows import SqlWindows
from antiphon_server.integration.budgets.model import Over
from antiphon_server.integration.ledger.adapters.row import usage_columns
from antiphon_server.integration.ledger.adapters.sql import _ABANDON, SqlLedger
from antiphon_server.integration.ledger.adapters.tables import calls, windows
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


class Careless(SqlWindows):
    """Forgets at once what calls had booked that were given up."""

    async def forget_bookings(self, given_up_us: int, limit: int) -> int:
        return await super().forget_bookings(2**62, limit)


class Eager(SqlWindows):
    """Forgets windows that are over while calls have something reserved in them."""

    async def forget_windows(self, over: Sequence[Over], limit: int) -> int:
        def forget(connection: Connection) -> None:
            for it in over:
                ended = windows.c.budget_id == it.budget_id, windows.c.start_us < it.began_us
                connection.execute(delete(windows).where(*ended))

        await self._database.write(forget)
        return 0


KINDS: Mapping[str, Kinds] = {
    "sound": Kinds(),
    "unconditional": Kinds(ledger=Unconditional),
    "forgetful": Kinds(calls=Forgetful),
    "holding": Kinds(ledger=Holding),
    "repricing": Kinds(attempts=Repricing),
    "unbooked": Kinds(ledger=Unbooked),
    "unread": Kinds(lost=Unread),
    "unmoved": Kinds(ledger=Unmoved),
    "careless": Kinds(windows=Careless),
    "eager": Kinds(windows=Eager),
}
