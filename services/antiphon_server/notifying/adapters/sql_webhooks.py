"""Webhooks in a SQL database."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, case, delete, func, select, update

from antiphon.auth.v1 import audit_pb2
from antiphon_server.notifying.adapters.rows import Sealing
from antiphon_server.notifying.adapters.tables import deliveries, trail_outbox, webhooks
from antiphon_server.notifying.model import DisabledReason, State, Webhook
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.egress.names import place_of
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import PreparedInsert
from antiphon_server.runtime.trail.outbox import Author

MOST = 20
"""Of an owner."""
SAID = ("said", "etag", "disabled")
NOTED = (webhooks.c.failing_us, webhooks.c.full_us)
"""What deliveries note meanwhile."""

_ID = webhooks.c.webhook_id == bindparam("b_webhook")
_OWN = (webhooks.c.owner == bindparam("b_owner"), _ID)
_GET = select(webhooks).where(*_OWN)
_ANY = select(webhooks).where(_ID)
_LIST = (
    select(webhooks).where(webhooks.c.owner == bindparam("b_owner")).order_by(webhooks.c.webhook_id)
)
_COUNT = select(func.count()).where(webhooks.c.owner == bindparam("b_owner"))
_ADD = PreparedInsert(webhooks, " ON CONFLICT DO NOTHING")
_DELETE = delete(webhooks).where(*_OWN)
_DROP = update(webhooks).where(_ID).values(dropped=webhooks.c.dropped + bindparam("b_many"))
_DELETE_ALL = delete(deliveries).where(deliveries.c.webhook_id == bindparam("b_webhook"))
_MOVE = (
    update(deliveries)
    .where(
        deliveries.c.webhook_id == bindparam("b_webhook"),
        deliveries.c.next_us.is_not(None),
        deliveries.c.host != bindparam("b_host"),
    )
    .values(host=bindparam("b_host"))
)
_STOP = (
    update(deliveries)
    .where(deliveries.c.webhook_id == bindparam("b_webhook"), deliveries.c.state == State.WAITING)
    .values(state=int(State.FAILED), next_us=None)
)


class SqlWebhooks:
    """A :class:`~antiphon_server.notifying.ports.WebhookStore` in a SQL database."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        self._database, self._sealing = database, sealing

    async def add(self, webhook: Webhook) -> Webhook:
        """See :meth:`WebhookStore.add`."""
        this, by = _key(webhook.owner, webhook.webhook_id), Author(trail_outbox)

        def store(connection: Connection) -> Webhook:
            if known := connection.execute(_ANY, this).one_or_none():
                return self._sealing.webhook_of(known)
            if connection.execute(_COUNT, this).scalar_one() >= MOST:
                raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST} webhooks")
            _ADD.run(connection, [self._sealing.row_of(webhook)])
            row = connection.execute(_ANY, this).one()
            if row.etag == webhook.etag:
                told = audit_pb2.WebhookCreated(**_told(webhook), host=_host(webhook))
                by.note(connection, webhook_created=told)
            return self._sealing.webhook_of(row)

        return await self._database.write(store)

    async def get(self, owner: str, webhook_id: str) -> Webhook | None:
        """See :meth:`WebhookStore.get`."""
        this = _key(owner, webhook_id)
        row = await self._database.read(
            lambda it: it.execute(_GET, this).one_or_none(), snapshot=False
        )
        return self._sealing.webhook_of(row) if row is not None else None

    async def list(self, owner: str) -> Sequence[Webhook]:
        """See :meth:`WebhookStore.list`."""
        at = {"b_owner": owner}
        return await self._database.read(
            lambda it: [self._sealing.webhook_of(row) for row in it.execute(_LIST, at)]
        )

    async def change(self, webhook: Webhook, before: str) -> bool:
        """See :meth:`WebhookStore.change`."""
        told = told_of_change(webhook)
        return await self._replaced(webhook, before, SAID, webhook_updated=told)

    async def rotate(self, webhook: Webhook, before: str) -> bool:
        """See :meth:`WebhookStore.rotate`."""
        told = audit_pb2.WebhookSecretRotated(**_told(webhook))
        return await self._replaced(
            webhook, before, ("secrets", "etag"), webhook_secret_rotated=told
        )

    async def _replaced(
        self, webhook: Webhook, before: str, names: Sequence[str], **told: Any
    ) -> bool:
        row, by = self._sealing.row_of(webhook), Author(trail_outbox)
        is_turned = webhooks.c.disabled != row["disabled"]
        this = {**_key(webhook.owner, webhook.webhook_id), "b_before": before}
        changed = (
            update(webhooks)
            .where(*_OWN, webhooks.c.etag == bindparam("b_before"))
            .values({name: row[name] for name in names})
            .values({noted.name: case((is_turned, None), else_=noted) for noted in NOTED})
        )

        def store(connection: Connection) -> bool:
            if not connection.execute(changed, this).rowcount:
                return False
            if webhook.disabled is not DisabledReason.NONE:
                stop(connection, webhook.webhook_id)
            elif "said" in names:  # what waits is counted where it goes now
                connection.execute(_MOVE, {**this, "b_host": place_of(webhook.url).authority})
            by.note(connection, **told)
            return True

        return await self._database.write(store)

    async def delete(self, owner: str, webhook_id: str) -> None:
        """See :meth:`WebhookStore.delete`."""
        this, by = _key(owner, webhook_id), Author(trail_outbox)
        told = audit_pb2.WebhookDeleted(resource=owner, webhook_id=webhook_id)

        def store(connection: Connection) -> None:
            if connection.execute(_DELETE, this).rowcount:
                remove_all(connection, webhook_id)
                by.note(connection, webhook_deleted=told)

        await self._database.write(store)


def told_of_change(webhook: Webhook) -> audit_pb2.WebhookUpdated:
    """What the audit trail is told of one that was changed."""
    is_disabled = webhook.disabled is not DisabledReason.NONE
    return audit_pb2.WebhookUpdated(**_told(webhook), host=_host(webhook), disabled=is_disabled)


def count_dropped(connection: Connection, webhook_id: str, many: int) -> None:
    """Note that so many are not posted any more, or never were."""
    connection.execute(_DROP, {"b_webhook": webhook_id, "b_many": many})


def stop(connection: Connection, webhook_id: str) -> None:
    """Try nothing more of what waits for a webhook."""
    connection.execute(_STOP, {"b_webhook": webhook_id})


def remove_all(connection: Connection, webhook_id: str) -> None:
    """Take all of a webhook's deliveries away."""
    connection.execute(_DELETE_ALL, {"b_webhook": webhook_id})


def _host(webhook: Webhook) -> str:
    return place_of(webhook.url).host


def _told(webhook: Webhook) -> Mapping[str, str]:
    return {"resource": webhook.owner, "webhook_id": webhook.webhook_id}


def _key(owner: str, webhook_id: str) -> dict[str, Any]:
    return {"b_owner": owner, "b_webhook": webhook_id}
