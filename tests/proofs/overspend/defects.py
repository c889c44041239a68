"""Ledgers that let calls take more than there is: the proof has to notice them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select

from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.adapters.tables import windows
from antiphon_server.integration.ledger.model import Call, Full, Reached, Use, Window, WindowFull

NO_LIMIT = 1 << 60


def _without_limits(call: Call) -> Call:
    return replace(call, charges=tuple(replace(it, limit=NO_LIMIT) for it in call.charges))


class Unconditional(SqlLedger):
    """Adds what calls may take, whatever is there already."""

    async def open(self, call: Call, owner: str) -> Sequence[Reached]:
        return await super().open(_without_limits(call), owner)


class ReadsBefore(SqlLedger):
    """Decides by what it has read before anything was locked."""

    async def open(self, call: Call, owner: str) -> Sequence[Reached]:
        for charge in call.charges:
            use = await self._use(charge.window)
            if use.used + charge.amount > charge.limit:
                raise WindowFull(Full(charge, use))
        return await super().open(_without_limits(call), owner)

    async def _use(self, window: Window) -> Use:
        here = [windows.c[name] == value for name, value in window._asdict().items()]
        query = select(windows.c.spent, windows.c.reserved).where(*here)
        row = await self._database.read(lambda it: it.execute(query).one_or_none())
        return Use(0, 0) if row is None else Use(*row)


LEDGERS: Mapping[str, type[SqlLedger]] = {
    "sound": SqlLedger,
    "unconditional": Unconditional,
    "reads-before": ReadsBefore,
}
