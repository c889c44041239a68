"""The rules of notices: who may publish them is settled before."""

from dataclasses import replace

from antiphon_server.context.model.changes import (
    EVERYBODY,
    NoticePublished,
    NoticeWithdrawn,
    Repeatable,
)
from antiphon_server.context.model.notices import Notice, NoticeId
from antiphon_server.context.model.resources import Position
from antiphon_server.context.ports import Clock, Records, Store
from antiphon_server.context.service.changes import Changes, add_to_outbox, answered, answered_first
from antiphon_server.context.service.pages import Page, page_of, position
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, not_found

DAY_S = 86_400
KEPT_S = 30 * DAY_S
IN_FORCE = 20
_PAST = 0


class Notices:
    """Publishes and ends notices. Everything raises STORE_UNAVAILABLE, too."""

    def __init__(self, store: Store, changes: Changes, clock: Clock) -> None:
        self._store = store
        self._changes = changes
        self._clock = clock

    async def publish(
        self, principal: Principal, text: str, live_s: float, request: Repeatable[Notice] | None
    ) -> Notice:
        """Tell everybody something, for a day unless ``live_s`` says how long.

        Raises DomainError REQUEST_ID_REUSED, LIMIT_EXCEEDED.
        """
        now = int(self._clock() * 1e6)
        expire_us = now + int((live_s or DAY_S) * 1e6)
        notice = Notice(NoticeId(new_id("ntc")), text, now, expire_us)

        def work(records: Records) -> Notice:
            records.notices.lock()
            before = answered(records, request)
            if before is not None:
                return before
            if _in_force(records, now) >= IN_FORCE:
                raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{IN_FORCE} notices in force")
            first = answered_first(records, request, notice, now)
            if first is notice:
                records.notices.add(notice)
                add_to_outbox(records, principal, EVERYBODY, NoticePublished(notice))
            return first

        return await self._changes.make(work)

    async def withdraw(self, principal: Principal, notice_id: NoticeId) -> Notice:
        """End one that is in force. Raises DomainError NOT_FOUND."""
        now = int(self._clock() * 1e6)

        def work(records: Records) -> Notice:
            records.notices.lock()
            notice = records.notices.get(notice_id)
            if notice is None:
                raise not_found(notice_id)
            if notice.withdraw_us is not None or notice.end_us <= now:  # clocks differ
                return notice
            records.notices.withdraw(notice_id, now)
            over = replace(notice, withdraw_us=now)
            add_to_outbox(records, principal, EVERYBODY, NoticeWithdrawn(over))
            return over

        return await self._changes.make(work)

    async def list(self, limit: int, token: str, *, ended: bool) -> Page[Notice]:
        """Those in force, or with those that have ``ended``, the newest first.

        Raises DomainError PAGE_TOKEN_INVALID.
        """
        listed = f"notices {ended}"
        after = position(token, listed)
        since = _PAST if ended else int(self._clock() * 1e6)
        found = await self._store.read(lambda r: r.notices.page(since, after, limit + 1))
        return page_of(listed, found, limit, lambda it: Position(it.publish_us, it.notice_id))


def _in_force(records: Records, now: int) -> int:
    """How many there are, without those just withdrawn by a server whose clock is ahead."""
    found = records.notices.page(now, None, 2 * IN_FORCE)
    return sum(notice.withdraw_us is None for notice in found)
