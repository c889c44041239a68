"""What callers do with webhooks."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from antiphon_server.notifying.model import (
    Attempt,
    Delivery,
    DisabledReason,
    Secret,
    State,
    Webhook,
)
from antiphon_server.notifying.ports import DeliveryStore, Posts, WebhookStore
from antiphon_server.notifying.signing import new_key, shown, valid
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, not_found

SHOWN_US = 10 * 60 * 1_000_000
"""So long a new webhook's secret is told again to who repeats making it."""
KEPT_US = 24 * 3600 * 1_000_000
"""So long a secret signs behind its rotation."""
MOST_SECRETS = 5
TESTS_AT_ONCE = 16


def _now_us() -> int:
    return time.time_ns() // 1000


class Webhooks:
    """Makes, changes and forgets them. Each call raises DomainError as the contract says."""

    def __init__(
        self,
        store: WebhookStore,
        deliveries: DeliveryStore,
        posts: Posts,
        now_us: Callable[[], int] = _now_us,
    ) -> None:
        self._store, self._deliveries, self._posts = store, deliveries, posts
        self._now_us, self._testing = now_us, 0

    async def create(self, webhook: Webhook) -> tuple[Webhook, str]:
        """Make one; returns it with its secret, which is "" if it is too old to be told again."""
        await self._posts.check(webhook.owner, webhook.url)
        now_us = self._now_us()
        wanted = replace(
            webhook,
            webhook_id=webhook.webhook_id or new_id("wh"),
            created_us=now_us,
            secrets=(Secret(new_key()),),
            etag=new_id("etag"),
        )
        found = await self._store.add(wanted)
        if (found.owner, found.creator) != (webhook.owner, webhook.creator):
            raise DomainError(Reason.ALREADY_EXISTS, resource=found.webhook_id)
        tells = found.secrets and now_us - found.created_us < SHOWN_US
        return found, shown(found.secrets[0].key) if tells else ""

    async def get(self, owner: str, webhook_id: str) -> Webhook:
        """One as it is."""
        found = await self._store.get(owner, webhook_id)
        if found is None:
            raise not_found(webhook_id)
        return found

    async def list(self, owner: str) -> Sequence[Webhook]:
        """Those of an owner."""
        return await self._store.list(owner)

    async def change(self, before: Webhook, after: Webhook, seen: str) -> Webhook:
        """Replace what its owner says of it."""
        if after == before:
            return before
        if seen not in ("", before.etag):
            raise _other(before)
        if after.url != before.url:
            await self._posts.check(after.owner, after.url)
        if after.disabled is not before.disabled:
            after = replace(after, failing_us=None, full_us=None)
        after = replace(after, etag=new_id("etag"))
        if not await self._store.change(after, before.etag):
            raise _other(before)
        return after

    async def rotate(self, owner: str, webhook_id: str) -> tuple[Webhook, str]:
        """Make another secret; returns it, too."""
        before, now_us, key = await self.get(owner, webhook_id), self._now_us(), new_key()
        kept = valid(before.secrets, now_us)
        if len(kept) >= MOST_SECRETS:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_SECRETS} valid secrets")
        until_us = now_us + KEPT_US
        older = [replace(it, until_us=it.until_us or until_us) for it in kept]
        after = replace(before, secrets=(Secret(key), *older), etag=new_id("etag"))
        if not await self._store.rotate(after, before.etag):
            raise _other(before)
        return after, shown(key)

    async def delete(self, owner: str, webhook_id: str) -> None:
        """Take one away."""
        await self._store.delete(owner, webhook_id)

    async def test(self, owner: str, webhook_id: str, body: bytes) -> tuple[str, Attempt]:
        """Post ``body`` there now; returns its id and what came of it."""
        webhook = await self.get(owner, webhook_id)
        if self._testing >= TESTS_AT_ONCE:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{TESTS_AT_ONCE} tests at once")
        self._testing += 1
        try:
            notification_id = new_id("ntf")
            return notification_id, await self._posts.post(webhook, notification_id, body)
        finally:
            self._testing -= 1

    async def deliveries(
        self,
        owner: str,
        webhook_id: str,
        state: State | None,
        before: tuple[int, str] | None,
        limit: int,
    ) -> Sequence[Delivery]:
        """Its deliveries, the newest first."""
        await self.get(owner, webhook_id)
        return await self._deliveries.list(webhook_id, state, before, limit)

    async def redeliver(self, owner: str, webhook_id: str, notification_id: str) -> Delivery:
        """Have one posted again."""
        webhook = await self.get(owner, webhook_id)
        if webhook.disabled is not DisabledReason.NONE:
            raise DomainError(Reason.WEBHOOK_DISABLED, webhook_id=webhook_id)
        await self._deliveries.again(webhook_id, notification_id, self._now_us())
        found = await self._deliveries.get(webhook_id, notification_id)
        if found is None:
            raise not_found(notification_id)
        return found


def _other(before: Webhook) -> DomainError:
    return DomainError(Reason.ETAG_MISMATCH, resource=before.webhook_id)
