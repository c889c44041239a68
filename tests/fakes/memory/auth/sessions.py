"""Sessions in memory."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from antiphon_server.auth.model import (
    KEPT_AFTER_END,
    Position,
    Session,
)
from antiphon_server.auth.model.openings import MOST_PLACES, Opened, Opening
from antiphon_server.auth.model.revocations import Ended
from antiphon_server.auth.model.user_changes import may_open
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.access.principal import SessionId, UserId
from tests.fakes.memory.auth.device_logins import MemoryDeviceLogins
from tests.fakes.memory.auth.rows import MemoryRows, ended_at, page

T = TypeVar("T")


class MemorySessions:
    """A :class:`~antiphon_server.auth.ports.SessionStore` in memory."""

    def __init__(self, rows: MemoryRows, device_logins: MemoryDeviceLogins) -> None:
        self._rows = rows
        self._device_logins = device_logins

    async def add(self, opening: Opening, records: Records[Opened]) -> Opened | None:
        """See :meth:`SessionStore.add`."""
        session, sponsor, keys = opening.session, opening.sponsor, self._rows.api_keys
        now = session.create_time
        user = self._rows.users.get(session.user_id)
        if user is None or not may_open(user, opening.password_version):
            return None
        if sponsor and not self._rows.lives(sponsor, now):
            return None
        device, session_id = opening.device_hash, session.session_id
        login = self._device_logins.claimed(device, session_id, now) if device else None
        if device and login is None:
            return None
        key = keys.get(session.api_key_id) if session.api_key_id else None
        if session.api_key_id and (key is None or key.expired(now)):
            return None
        new = self._rows.places.new(opening.subject, opening.address)
        opened = self._rows.trail.record(records, Opened(self._least_used(opening), new))
        if login:
            self._device_logins.store(login)
        if key:
            keys[key.key_id] = replace(key, last_use_time=now, last_address=session.first_address)
        self._forget(session.user_id, now - KEPT_AFTER_END)
        self._rows.end(opened.ended)
        self._rows.sessions[session_id] = session
        await self._rows.places.record(opening.subject, opening.address, now, MOST_PLACES)
        return opened

    async def get(self, session_id: SessionId) -> Session | None:
        """See :meth:`SessionStore.get`."""
        return self._rows.sessions.get(session_id)

    async def change(
        self,
        session_id: SessionId,
        rule: Callable[[Session], tuple[Session, T]],
        records: Records[T],
    ) -> T | None:
        """See :meth:`SessionStore.change`."""
        before = self._rows.sessions.get(session_id)
        if before is None:
            return None
        after, outcome = rule(before)
        self._rows.trail.record(records, outcome)
        self._rows.sessions[session_id] = after
        if after.end_time != before.end_time:
            self._rows.endings.add([after])
        return outcome

    async def list_live(
        self, user_id: UserId, now: int, after: Position | None, limit: int
    ) -> list[Session]:
        """See :meth:`SessionStore.list_live`."""
        found = self._rows.live_of(user_id, now)
        return page(found, lambda one: (one.create_time, one.session_id), after)[:limit]

    async def end_all(
        self,
        user_id: UserId,
        but: SessionId | None,
        now: int,
        records: Records[Ended],
        *,
        api_keys: bool = False,
    ) -> Ended:
        """See :meth:`SessionStore.end_all`."""
        mine = self._rows.live_of(user_id, now)
        sessions = ended_at(now, (one for one in mine if one.session_id != but))
        removed = self._rows.other_keys(user_id, but) if api_keys else ()
        keys = [key for key in self._rows.api_keys.values() if key.user_id == user_id]
        left = sum(not key.expired(now) and key.key_id not in removed for key in keys)
        ended = self._rows.trail.record(records, Ended(sessions, removed, left))
        self._rows.end(ended.sessions)
        self._rows.remove(ended.keys)
        return ended

    async def expire(self, now: int, limit: int, records: Records[list[Session]]) -> list[Session]:
        """See :meth:`SessionStore.expire`."""
        sessions = self._rows.sessions
        over = [one for one in sessions.values() if one.end_time is None and not one.live(now)]
        over.sort(key=lambda one: (one.expire_time, one.session_id))
        ended = [replace(one, end_time=one.expire_time) for one in over[:limit]]
        self._rows.trail.record(records, ended)
        sessions.update({one.session_id: one for one in ended})
        return ended

    async def count_live(self, now: int) -> int:
        """See :meth:`SessionStore.count_live`."""
        return sum(session.live(now) for session in self._rows.sessions.values())

    async def list_unannounced(self, limit: int) -> list[Session]:
        """See :meth:`SessionStore.list_unannounced`."""
        found = [session for session in self._rows.sessions.values() if not session.announced]
        return sorted(found, key=lambda one: one.end_time or 0)[:limit]

    async def mark_announced(self, session_ids: Sequence[SessionId]) -> None:
        """See :meth:`SessionStore.mark_announced`."""
        for session_id in session_ids:
            session = self._rows.sessions[session_id]
            self._rows.sessions[session_id] = replace(session, announced=True)

    def _forget(self, user_id: UserId, before: int) -> None:
        for one in list(self._rows.sessions.values()):
            if one.user_id == user_id and one.over(before):
                del self._rows.sessions[one.session_id]

    def _least_used(self, opening: Opening) -> list[Session]:
        """Those that the new one ends."""
        session, now = opening.session, opening.session.create_time
        mine = self._rows.live_of(session.user_id, now)
        alike = [one for one in mine if one.api_key_id == session.api_key_id]
        alike.sort(key=lambda one: (one.last_use_time, one.session_id), reverse=True)
        return ended_at(now, alike[opening.most - 1 :])
