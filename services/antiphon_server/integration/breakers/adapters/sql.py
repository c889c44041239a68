"""What operators say of breakers, in a SQL database."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, bindparam, select

from antiphon.auth.v1.audit_pb2 import BreakerSwitched
from antiphon_server.integration.breakers.adapters.tables import switches
from antiphon_server.integration.breakers.model import Said, Target
from antiphon_server.integration.trail.adapters.outbox import Author
from antiphon_server.runtime.storage.database import Database

_ALL = select(switches)
_LOCK = _ALL.where(switches.c.target == bindparam("b_target")).with_for_update()


@cache
def _say(dialect_name: str) -> Any:
    """Insert, or put in the place of what is there: two may find nothing at once."""
    insert = import_module(f"sqlalchemy.dialects.{dialect_name}").insert(switches)
    anew = {"open": insert.excluded.open, "number": switches.c.number + 1}
    said = insert.on_conflict_do_update(index_elements=["target"], set_=anew)
    return said.returning(switches.c.number)


class SqlSwitches:
    """A :class:`~antiphon_server.integration.breakers.ports.SwitchStore` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Mapping[Target, Said]:
        return await self._database.read(
            lambda it: {Target(row.target): _said(row) for row in it.execute(_ALL)}
        )

    async def say(self, target: Target, *, open: bool) -> Said:
        row, by = {"target": target, "open": open, "number": 1}, Author()

        def keep(it: Connection) -> Said:
            before = it.execute(_LOCK, {"b_target": target}).one_or_none()
            if before is not None and before.open and open:
                return _said(before)
            number = it.execute(_say(it.dialect.name), row).scalar_one()
            by.note(it, breaker_switched=BreakerSwitched(resource=target, open=open))
            return Said(open, number)

        return await self._database.write(keep)


def _said(row: Any) -> Said:
    return Said(bool(row.open), row.number)
