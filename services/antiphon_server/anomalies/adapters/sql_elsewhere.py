"""What servers tell each other of what was said, in a SQL database.

A server's words are numbered as it commits them, one after the other, so whoever has heard one has
heard those before: clocks decide only how long they are kept.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, and_, delete, insert, or_, select

from antiphon_server.anomalies.adapters.tables import told
from antiphon_server.anomalies.model import Sign, Signal
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.storage.database import Database

KEPT_US = 300 * 1_000_000
"""So long one is kept, and heard by a server that begins."""

AT_ONCE = 16
"""Rows that are read together: each has up to a thousand signals."""


def _now_us() -> int:
    return time.time_ns() // 1000


class SqlElsewhere:
    """See :class:`~antiphon_server.anomalies.ports.Elsewhere`."""

    def __init__(self, database: Database, now_us: Callable[[], int] = _now_us) -> None:
        self._database, self._now_us = database, now_us
        self._node_id, self._number = new_id("node"), 0
        self._heard: dict[str, tuple[int, int]] = {}

    async def tell(self, signals: Sequence[Signal]) -> None:
        """See :meth:`Elsewhere.tell`."""
        row = {
            "node_id": self._node_id,
            "number": self._number,
            "told_us": self._now_us(),
            "body": json.dumps(list(map(_encoded, signals)), separators=(",", ":")).encode(),
        }
        self._number += 1  # also if it fails: whether it was stored is not known then
        await self._database.write(lambda it: it.execute(insert(told), row))

    async def heard(self) -> Sequence[Signal]:
        """See :meth:`Elsewhere.heard`."""
        since_us = self._now_us() - KEPT_US
        places = {node: place for node, place in self._heard.items() if place[1] > since_us}
        query = _newer(self._node_id, places, since_us)
        rows = await self._database.read(lambda it: it.execute(query).all())
        self._heard = places
        for it in rows:
            last = places.get(it.node_id, (-1, 0))
            places[it.node_id] = max(last, (it.number, it.told_us))
        return [_decoded(one) for it in rows for one in json.loads(it.body)]

    async def forget(self) -> None:
        """See :meth:`Elsewhere.forget`."""
        old = told.c.told_us < self._now_us() - KEPT_US
        await self._database.write(lambda it: it.execute(delete(told).where(old)))


def _newer(own: str, places: Mapping[str, tuple[int, int]], since_us: int) -> Select[Any]:
    """Those of others behind the places that were heard, the oldest first."""
    others = told.c.node_id.not_in([own, *places])
    behind = [
        and_(told.c.node_id == node, told.c.number > number) for node, (number, _) in places.items()
    ]
    query = select(told).where(told.c.told_us > since_us, or_(others, *behind))
    return query.order_by(told.c.told_us, told.c.node_id, told.c.number).limit(AT_ONCE)


def _encoded(it: Signal) -> list[Any]:
    who = it.user, it.session, it.conversation, it.workspace
    return [*who, it.fingerprint, it.size, round(it.at, 3), it.amount]


def _decoded(it: Sequence[Any]) -> Signal:
    user, session, conversation, workspace, fingerprint, size, at, amount = it
    where = user, session, conversation, workspace
    return Signal(Sign.SAID, at, *where, fingerprint, size, amount)
