"""Deliveries in a SQL database, from which several servers take them."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, or_, select, tuple_, update

from antiphon_server.notifying.adapters.notes import disabling_note
from antiphon_server.notifying.adapters.rows import Sealing, delivery_of
from antiphon_server.notifying.adapters.sql_notes import add_note
from antiphon_server.notifying.adapters.sql_webhooks import (
    count_dropped,
    remove_all,
    stop,
    told_of_change,
)
from antiphon_server.notifying.adapters.tables import deliveries, trail_outbox, webhooks
from antiphon_server.notifying.model import (
    Attempt,
    Claimed,
    Delivery,
    Due,
    State,
    Verdict,
    Webhook,
)
from antiphon_server.notifying.retrying import noted
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.outbox import Author

_KEY = (deliveries.c.webhook_id, deliveries.c.notification_id)
_THIS = and_(
    deliveries.c.webhook_id == bindparam("b_webhook"),
    deliveries.c.notification_id == bindparam("b_notification"),
)
_CLAIMED = and_(_THIS, deliveries.c.claim == bindparam("b_claim"))
_DUE = (
    select(*_KEY, deliveries.c.host, webhooks.c.failing_us.is_not(None), webhooks.c.creator)
    .outerjoin_from(deliveries, webhooks, deliveries.c.webhook_id == webhooks.c.webhook_id)
    .where(
        deliveries.c.next_us <= bindparam("b_now"),
        deliveries.c.webhook_id.not_in(bindparam("b_webhooks", expanding=True)),
        deliveries.c.host.not_in(bindparam("b_hosts", expanding=True)),
        func.coalesce(webhooks.c.creator, "").not_in(bindparam("b_creators", expanding=True)),
    )
    .order_by(deliveries.c.next_us)
    .limit(bindparam("b_limit"))
)
_DUE_STILL = (
    select(deliveries)
    .where(
        tuple_(*_KEY).in_(bindparam("b_keys", expanding=True)),
        deliveries.c.next_us <= bindparam("b_now"),
    )
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    update(deliveries).where(_THIS).values(claim=bindparam("b_claim"), next_us=bindparam("b_until"))
)
_HOOKS = select(webhooks).where(webhooks.c.webhook_id.in_(bindparam("b_ids", expanding=True)))
_RELEASE_ALL = (
    update(deliveries)
    .where(deliveries.c.next_us.is_not(None), deliveries.c.claim != "")
    .values(next_us=bindparam("b_now"), claim="")
)
_GET = select(deliveries).where(_THIS)
_HOOK = webhooks.c.webhook_id == bindparam("b_webhook")
_HOLD_HOOK = select(webhooks).where(_HOOK).with_for_update()
_LIST = (
    select(deliveries)
    .where(deliveries.c.webhook_id == bindparam("b_webhook"))
    .order_by(deliveries.c.created_us.desc(), deliveries.c.notification_id.desc())
    .limit(bindparam("b_limit"))
)
_AGAIN = (
    update(deliveries)
    .where(_THIS)
    .values(
        state=int(State.WAITING),
        attempts=0,
        next_us=bindparam("b_now"),
        again_us=bindparam("b_now"),
        claim="",
    )
)
_WAITING = select(func.count()).where(deliveries.c.next_us.is_not(None))
_IS_STALE = and_(
    deliveries.c.created_us < bindparam("b_before"),
    func.coalesce(deliveries.c.again_us, 0) < bindparam("b_before"),
    deliveries.c.next_us.is_not(None),
    or_(deliveries.c.claim == "", deliveries.c.next_us < bindparam("b_now")),
)
_STALE = select(*_KEY).where(_IS_STALE).limit(bindparam("b_limit"))
_HOLD_HOOKS = _HOOKS.order_by(webhooks.c.webhook_id).with_for_update()
_GIVE_UP = (
    update(deliveries)
    .where(tuple_(*_KEY).in_(bindparam("b_keys", expanding=True)), _IS_STALE)
    .values(state=int(State.FAILED), next_us=None, claim="")
    .returning(deliveries.c.webhook_id)
)
_OLD = (
    select(*_KEY)
    .where(deliveries.c.created_us < bindparam("b_before"), deliveries.c.next_us.is_(None))
    .limit(bindparam("b_limit"))
)


class SqlDeliveries:
    """A :class:`~antiphon_server.notifying.ports.DeliveryStore` in a SQL database."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        self._database, self._sealing = database, sealing

    async def due(
        self,
        now_us: int,
        webhooks: Collection[str],
        hosts: Collection[str],
        creators: Collection[str],
        limit: int,
    ) -> Sequence[Due]:
        """See :meth:`DeliveryStore.due`."""
        at = {
            "b_now": now_us,
            "b_webhooks": list(webhooks),
            "b_hosts": list(hosts),
            "b_creators": list(creators),
            "b_limit": limit,
        }
        return await self._database.read(
            lambda it: [
                Due(webhook_id, notification_id, host, bool(failing), creator or "")
                for webhook_id, notification_id, host, failing, creator in it.execute(_DUE, at)
            ]
        )

    async def claim(self, wanted: Sequence[Due], now_us: int, until_us: int) -> Sequence[Claimed]:
        """See :meth:`DeliveryStore.claim`."""
        claim = new_id("claim")
        at = {"b_keys": [it.key for it in wanted], "b_now": now_us}
        ours = {"b_claim": claim, "b_until": until_us}

        def take(connection: Connection) -> Sequence[Claimed]:
            found = [delivery_of(row) for row in connection.execute(_DUE_STILL, at)]
            if not found:
                return ()
            keys = [_key(it.webhook_id, it.notification_id) for it in found]
            connection.execute(_CLAIM, [{**key, **ours} for key in keys])
            return self._with_webhooks(connection, [replace(it, claim=claim) for it in found])

        return await self._database.write(take)

    def _with_webhooks(self, connection: Connection, mine: Sequence[Delivery]) -> Sequence[Claimed]:
        ids = {it.webhook_id for it in mine}
        rows = connection.execute(_HOOKS, {"b_ids": list(ids)})
        hooks = {row.webhook_id: self._sealing.webhook_of(row) for row in rows}
        for webhook_id in ids:  # one that was told something while it went away
            if webhook_id not in hooks:
                remove_all(connection, webhook_id)
            elif hooks[webhook_id].disabled:
                stop(connection, webhook_id)
        to = ((it, hooks.get(it.webhook_id)) for it in mine)
        return [Claimed(it, hook) for it, hook in to if hook and not hook.disabled]

    async def release_all(self, now_us: int) -> None:
        """See :meth:`DeliveryStore.release_all`."""
        await self._database.write(lambda it: it.execute(_RELEASE_ALL, {"b_now": now_us}))

    async def settle(
        self, claimed: Claimed, attempt: Attempt, verdict: Verdict, now_us: int
    ) -> bool:
        """See :meth:`DeliveryStore.settle`."""
        it = claimed.delivery
        tried = (
            update(deliveries)
            .where(_CLAIMED)
            .values(
                state=int(verdict.state),
                attempts=deliveries.c.attempts + 1,
                outcome=int(attempt.outcome),
                status=attempt.status,
                attempt_us=now_us,
                next_us=verdict.next_us,
                claim="",
            )
        )
        this = {**_key(it.webhook_id, it.notification_id), "b_claim": it.claim}

        def store(connection: Connection) -> bool:
            # First the webhook, then its deliveries: in this order everybody locks them.
            row = connection.execute(_HOLD_HOOK, this).one_or_none()
            if row is None or not connection.execute(tried, this).rowcount:
                return False
            hook = self._sealing.webhook_of(row)
            _put(connection, hook, noted(hook, attempt, verdict, now_us), now_us)
            return True

        return await self._database.write(store)

    async def get(self, webhook_id: str, notification_id: str) -> Delivery | None:
        """See :meth:`DeliveryStore.get`."""
        this = _key(webhook_id, notification_id)
        row = await self._database.read(
            lambda it: it.execute(_GET, this).one_or_none(), snapshot=False
        )
        return delivery_of(row) if row is not None else None

    async def list(
        self, webhook_id: str, state: State | None, before: tuple[int, str] | None, limit: int
    ) -> Sequence[Delivery]:
        """See :meth:`DeliveryStore.list`."""
        query, at = _LIST, {"b_webhook": webhook_id, "b_limit": limit}
        if state is not None:
            query = query.where(deliveries.c.state == int(state))
        if before is not None:
            made = deliveries.c.created_us
            earlier = and_(made == before[0], deliveries.c.notification_id < before[1])
            query = query.where(or_(made < before[0], earlier))
        return await self._database.read(
            lambda it: [delivery_of(row) for row in it.execute(query, at)]
        )

    async def again(self, webhook_id: str, notification_id: str, now_us: int) -> None:
        """See :meth:`DeliveryStore.again`."""
        this = {**_key(webhook_id, notification_id), "b_now": now_us}
        await self._database.write(lambda it: it.execute(_AGAIN, this))

    async def waiting(self) -> int:
        """See :meth:`DeliveryStore.waiting`."""
        return await self._database.read(lambda it: it.execute(_WAITING).scalar_one())

    async def give_up(self, before_us: int, now_us: int, limit: int) -> int:
        """See :meth:`DeliveryStore.give_up`."""
        at = {"b_before": before_us, "b_now": now_us, "b_limit": limit}

        def store(connection: Connection) -> int:
            found = [tuple(row) for row in connection.execute(_STALE, at)]
            # First the webhooks, in one order, then their deliveries: so everybody locks them. Who
            # has waited for that finds what others have given up meanwhile to be so already.
            connection.execute(_HOLD_HOOKS, {"b_ids": [webhook_id for webhook_id, _ in found]})
            stale = {"b_keys": found, "b_before": before_us, "b_now": now_us}
            given_up = Counter(connection.execute(_GIVE_UP, stale).scalars())
            for webhook_id, many in given_up.items():
                count_dropped(connection, webhook_id, many)
            return given_up.total()

        return await self._database.write(store)

    async def forget(self, before_us: int, limit: int) -> int:
        """See :meth:`DeliveryStore.forget`."""
        at = {"b_before": before_us, "b_limit": limit}

        def remove(connection: Connection) -> int:
            found = [tuple(row) for row in connection.execute(_OLD, at)]
            if found:
                connection.execute(delete(deliveries).where(tuple_(*_KEY).in_(found)))
            return len(found)

        return await self._database.write(remove)


def _key(webhook_id: str, notification_id: str) -> dict[str, Any]:
    return {"b_webhook": webhook_id, "b_notification": notification_id}


def _put(connection: Connection, before: Webhook, after: Webhook, now_us: int) -> None:
    """Store what has become of a webhook; tell of one that is disabled by itself."""
    if after == before:
        return
    values = {
        "failing_us": after.failing_us,
        "disabled": int(after.disabled),
        "etag": after.etag,
    }
    at = {"b_webhook": after.webhook_id}
    connection.execute(update(webhooks).where(_HOOK).values(values), at)
    if after.disabled is not before.disabled:
        stop(connection, after.webhook_id)
        add_note(connection, disabling_note(after, now_us))
        Author(trail_outbox, "services/dispatcher").note(
            connection, webhook_updated=told_of_change(after)
        )
