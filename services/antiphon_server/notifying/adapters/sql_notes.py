"""What is to be told, in a SQL database."""

from collections.abc import Callable, Collection, Sequence
from types import SimpleNamespace
from typing import Any, TypeAlias

from sqlalchemy import Connection, bindparam, delete, func, or_, select, update

from antiphon_server.dispatcher.notifying_room import Turn
from antiphon_server.notifying.adapters.notes import (
    is_told,
    is_unseen,
    note_of,
    note_of_end,
    overflow_note,
    row_of,
)
from antiphon_server.notifying.adapters.rows import Sealing, delivery_row
from antiphon_server.notifying.adapters.sql_webhooks import count_dropped
from antiphon_server.notifying.adapters.tables import deliveries, notes, webhooks
from antiphon_server.notifying.bodies import message_of
from antiphon_server.notifying.matching import wants
from antiphon_server.notifying.model import Delivery, DisabledReason, Note, Webhook
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import Prepared, PreparedIn, PreparedInsert

MOST_WAITING = 10_000

_ADD = PreparedInsert(notes, " ON CONFLICT DO NOTHING")
_LEFT = (
    select(notes)
    .where(notes.c.created_us < bindparam("b_before"))
    .order_by(notes.c.created_us)
    .limit(bindparam("b_limit"))
)
_COLUMNS = [column.name for column in webhooks.c]
_FORGET = PreparedIn(
    lambda places: (
        delete(notes)
        .where(notes.c.notification_id.in_([bindparam(f"b_id_{n}") for n in places]))
        .returning(notes.c.notification_id)
    )
)
_WANTING = PreparedIn(
    lambda places: (
        select(webhooks)
        .where(
            webhooks.c.owner.in_([bindparam(f"b_owner_{n}") for n in places]),
            webhooks.c.disabled == int(DisabledReason.NONE),
        )
        .order_by(webhooks.c.webhook_id)
    )
)
_ANY = Prepared(
    lambda: (
        select(webhooks.c.webhook_id)
        .where(
            or_(
                webhooks.c.owner == bindparam("b_user"),
                webhooks.c.owner == bindparam("b_workspace"),
            ),
            webhooks.c.disabled == int(DisabledReason.NONE),
        )
        .limit(1)
    )
)
_WAITING = Prepared(
    lambda: select(func.count()).where(
        deliveries.c.webhook_id == bindparam("b_webhook"), deliveries.c.next_us.is_not(None)
    )
)
_FULL = (
    update(webhooks)
    .where(webhooks.c.webhook_id == bindparam("b_webhook"))
    .values(full_us=bindparam("b_full"))
)
_DELIVER = PreparedInsert(deliveries, " ON CONFLICT DO NOTHING")


class SqlNotes:
    """A :class:`~antiphon_server.notifying.ports.NoteStore` in a SQL database.

    ``host_of`` says where a URL leads; ``most_waiting`` is of a webhook.
    """

    def __init__(
        self,
        database: Database,
        sealing: Sealing,
        host_of: Callable[[str], str],
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._database, self._sealing, self._host_of = database, sealing, host_of
        self._most = most_waiting

    def keep(self, connection: Connection, ended: Sequence[Turn]) -> Sequence[Note]:
        """Keep what is to be told of ends with what the connection commits; returns it.

        Nothing is of those that their creators have seen, and no webhook is told of.
        """
        told = [turn for turn in ended if is_told(turn)]
        posted = _are_posted(connection, {_owners(it) for it in told if not is_unseen(it)})
        kept = [it for it in told if is_unseen(it) or _owners(it) in posted]
        found = [note_of_end(turn) for turn in kept]
        if found:
            _ADD.run(connection, [row_of(note) for note in found])
        return found

    async def add(self, note: Note) -> None:
        """See :meth:`NoteStore.add`."""
        await self._database.write(lambda it: add_note(it, note), short=True)

    async def left(self, before_us: int, limit: int) -> Sequence[Note]:
        """See :meth:`NoteStore.left`."""
        at = {"b_before": before_us, "b_limit": limit}
        return await self._database.read(lambda it: [note_of(row) for row in it.execute(_LEFT, at)])

    async def told(self, told: Sequence[Note], now_us: int) -> int:
        """See :meth:`NoteStore.told`."""
        ids = [note.notification_id for note in told]
        owners = {note.creator for note in told}
        owners |= {f"workspaces/{note.about.workspace_id}" for note in told if note.about}

        def store(connection: Connection) -> int:
            found = _WANTING.rows(connection, [{"b_owner": it} for it in owners])
            ours = {row[0] for row in _FORGET.rows(connection, [{"b_id": it} for it in ids])}
            wanting = [self._sealing.webhook_of(_named(row)) for row in found]
            return sum(self._deliver(connection, it, told, ours, now_us) for it in wanting)

        return await self._database.write(store)

    def _deliver(
        self,
        connection: Connection,
        hook: Webhook,
        told: Sequence[Note],
        ours: Collection[str],
        now_us: int,
    ) -> int:
        """Let a webhook have what it wants and there is room for; returns how many."""
        wanted = [note for note in told if wants(hook, note)]
        if not wanted:
            return 0
        waiting = _waiting(connection, hook.webhook_id)
        kept = wanted[: max(0, self._most - waiting)]
        dropped = [note for note in wanted[len(kept) :] if note.notification_id in ours]
        # First the webhook, then its deliveries: in this order everybody locks them.
        self._note_room(connection, hook, waiting, len(dropped), now_us)
        if kept:
            rows = [delivery_row(self._delivery(hook, note, now_us)) for note in kept]
            _DELIVER.run(connection, rows)
        return len(kept)

    def _note_room(
        self, connection: Connection, hook: Webhook, waiting: int, dropped: int, now_us: int
    ) -> None:
        """Count what is not kept; tell its creator when that begins."""
        if dropped:
            count_dropped(connection, hook.webhook_id, dropped)
        if dropped and hook.full_us is None:
            connection.execute(_FULL, {"b_webhook": hook.webhook_id, "b_full": now_us})
            add_note(connection, overflow_note(hook, waiting, now_us))
        elif hook.full_us is not None and waiting <= self._most // 2:
            connection.execute(_FULL, {"b_webhook": hook.webhook_id, "b_full": None})

    def _delivery(self, hook: Webhook, note: Note, now_us: int) -> Delivery:
        body, host = message_of(note), self._host_of(hook.url)
        return Delivery(hook.webhook_id, note.notification_id, host, now_us, body, next_us=now_us)


def _named(row: Sequence[Any]) -> SimpleNamespace:
    return SimpleNamespace(**dict(zip(_COLUMNS, row, strict=True)))


def _waiting(connection: Connection, webhook_id: str) -> int:
    row = _WAITING.row(connection, {"b_webhook": webhook_id})
    return int(row[0]) if row else 0


Owners: TypeAlias = tuple[str, str]
"""A user and a workspace."""


def _owners(turn: Turn) -> Owners:
    return turn.creator, f"workspaces/{turn.workspace_id}"


def _are_posted(connection: Connection, of: Collection[Owners]) -> set[Owners]:
    """Those of them of whose turns any webhook is told."""
    return {it for it in of if _ANY.row(connection, {"b_user": it[0], "b_workspace": it[1]})}


def add_note(connection: Connection, note: Note) -> None:
    """Keep one with what the connection commits, unless it is there."""
    _ADD.run(connection, [row_of(note)])
