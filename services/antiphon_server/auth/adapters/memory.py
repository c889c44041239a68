"""The stores of identity in memory: for tests and for servers that keep nothing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from antiphon_server.auth.adapters.memory_device_logins import MemoryDeviceLogins
from antiphon_server.auth.adapters.memory_endings import MemoryEndings
from antiphon_server.auth.adapters.memory_expiring import MemoryExpiring
from antiphon_server.auth.adapters.memory_identities import MemoryIdentities
from antiphon_server.auth.adapters.memory_password_resets import MemoryPasswordResets
from antiphon_server.auth.adapters.memory_places import MemoryPlaces
from antiphon_server.auth.adapters.memory_requests import MemoryRequests
from antiphon_server.auth.adapters.memory_security_events import MemorySecurityEvents
from antiphon_server.auth.model import (
    KEPT_AFTER_END,
    ApiKey,
    KeyId,
    Position,
    Session,
    StoredSigningKey,
    User,
)
from antiphon_server.auth.model.identities import Identity
from antiphon_server.auth.model.openings import MOST_PLACES, Opened, Opening
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.model.revocations import Ended, descent, others
from antiphon_server.auth.model.user_changes import UserChange, ends_sessions, may_open
from antiphon_server.auth.ports import Stores
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.principal import SessionId, UserId

T = TypeVar("T")
Listed = TypeVar("Listed", Session, ApiKey)


@dataclass(slots=True)
class _Rows:
    """What the stores share, as tables share a database."""

    users: dict[UserId, User] = field(default_factory=dict)
    requests: MemoryRequests = field(default_factory=MemoryRequests)
    sessions: dict[SessionId, Session] = field(default_factory=dict)
    endings: MemoryEndings = field(default_factory=MemoryEndings)
    api_keys: dict[KeyId, ApiKey] = field(default_factory=dict)
    places: MemoryPlaces = field(default_factory=MemoryPlaces)
    trail: MemorySecurityEvents = field(default_factory=MemorySecurityEvents)

    def parents(self, user_id: UserId) -> dict[KeyId, KeyId | None]:
        """Every key of the user, and the one that it was made with."""
        keys = self.api_keys.values()
        return {key.key_id: key.parent_key_id for key in keys if key.user_id == user_id}

    def remove(self, key_ids: Iterable[KeyId]) -> None:
        """Delete keys."""
        for key_id in key_ids:
            del self.api_keys[key_id]

    def remove_others(self, user_id: UserId, but: SessionId | None) -> list[KeyId]:
        """Delete the user's keys, but for the one of a session and those that it depends on."""
        session = self.sessions.get(but) if but else None
        removed = others(session.api_key_id if session else None, self.parents(user_id))
        self.remove(removed)
        return removed

    def end_opened_by(self, identity: Identity, now: int) -> list[Session]:
        """End its user's live sessions that providers opened."""
        mine = [one for one in self.sessions.values() if one.user_id == identity.user_id]
        opened = [one for one in mine if one.provider and one.live(now)]
        return self.end(opened, now)

    def end(self, ended: Iterable[Session], now: int) -> list[Session]:
        """End the sessions at ``now``."""
        changed = [replace(session, end_time=now, announced=False) for session in ended]
        self.sessions.update({session.session_id: session for session in changed})
        self.endings.note(changed)
        return changed


def memory_stores() -> Stores:
    """Empty stores."""
    rows = _Rows()
    users, device_logins = MemoryUsers(rows), MemoryDeviceLogins(rows.trail)
    return Stores(
        users=users,
        requests=rows.requests,
        sessions=MemorySessions(rows, device_logins),
        endings=rows.endings,
        expiring=MemoryExpiring(lambda: rows.sessions),
        api_keys=MemoryApiKeys(rows),
        signing_keys=MemorySigningKeys(rows),
        attempts=MemoryAttempts(),
        security_events=rows.trail,
        places=rows.places,
        password_resets=MemoryPasswordResets(rows.trail, rows.requests),
        device_logins=device_logins,
        identities=MemoryIdentities(users, rows.end_opened_by, rows.trail),
    )


class MemoryUsers:
    """A :class:`~antiphon_server.auth.ports.UserStore` in memory."""

    def __init__(self, rows: _Rows) -> None:
        self._rows = rows

    async def add(self, user: User, answer: Answer | None, records: Records[User]) -> User:
        """See :meth:`UserStore.add`."""
        self._rows.requests.check(answer)
        if await self.find(user.name):
            raise DomainError(Reason.ALREADY_EXISTS, resource=f"users/{user.name}")
        self._rows.users[user.user_id] = user
        self._rows.requests.remember(answer)
        return self._rows.trail.record(records, user)

    async def get(self, user_id: UserId) -> User | None:
        """See :meth:`UserStore.get`."""
        return self._rows.users.get(user_id)

    async def find(self, name: str) -> User | None:
        """See :meth:`UserStore.find`."""
        return next((user for user in self._rows.users.values() if user.name == name), None)

    async def list_named(self, prefix: str, after: str, limit: int) -> list[User]:
        """See :meth:`UserStore.list_named`."""
        found = [user for user in self._rows.users.values() if user.name.startswith(prefix)]
        return sorted((user for user in found if user.name > after), key=lambda user: user.name)[
            :limit
        ]

    async def change(
        self,
        user_id: UserId,
        rule: Callable[[User], User],
        now: int,
        records: Records[UserChange],
        kept: SessionId | None = None,
        *,
        api_keys: bool = False,
    ) -> UserChange | None:
        """See :meth:`UserStore.change`."""
        before = self._rows.users.get(user_id)
        if before is None:
            return None
        after = rule(before)
        rest = (user for user in self._rows.users.values() if user.user_id != user_id)
        if before.governs and not after.governs and not any(user.governs for user in rest):
            raise DomainError(Reason.LAST_OPERATOR)
        self._rows.users[user_id] = after
        ended: list[Session] = []
        shut: Sequence[KeyId] = ()
        if ends_sessions(before, after):
            sessions = self._rows.sessions.values()
            theirs = [one for one in sessions if one.user_id == user_id and one.live(now)]
            ended = self._rows.end((one for one in theirs if one.session_id != kept), now)
            shut = self._rows.remove_others(user_id, kept) if api_keys else ()
        change = UserChange(before, after, tuple(ended), tuple(shut))
        return self._rows.trail.record(records, change)

    async def replace_password_hash(self, user_id: UserId, old: str, new: str) -> None:
        """See :meth:`UserStore.replace_password_hash`."""
        user = self._rows.users.get(user_id)
        if user and user.password_hash == old:
            self._rows.users[user_id] = replace(user, password_hash=new)


class MemorySessions:
    """A :class:`~antiphon_server.auth.ports.SessionStore` in memory."""

    def __init__(self, rows: _Rows, device_logins: MemoryDeviceLogins) -> None:
        self._rows = rows
        self._device_logins = device_logins

    async def add(self, opening: Opening, records: Records[Opened]) -> Opened | None:
        """See :meth:`SessionStore.add`."""
        session, sponsor, keys = opening.session, opening.sponsor, self._rows.api_keys
        now = session.create_time
        user = self._rows.users.get(session.user_id)
        if user is None or not may_open(user, opening.password_version):
            return None
        vouching = sponsor and self._rows.sessions.get(sponsor)
        if sponsor and not (vouching and vouching.live(now)):
            return None
        device, session_id = opening.device_hash, session.session_id
        if device and not self._device_logins.claim(device, session_id, now):
            return None
        if session.api_key_id is not None:
            key = keys.get(session.api_key_id)
            if key is None or key.expired(now):
                return None
            keys[key.key_id] = replace(key, last_use_time=now, last_address=session.first_address)
        opener = (session.user_id, session.api_key_id)
        alike = [one for one in self._live(now) if (one.user_id, one.api_key_id) == opener]
        alike.sort(key=lambda one: (one.last_use_time, one.session_id), reverse=True)
        self._forget(session.user_id, now - KEPT_AFTER_END)
        ended = self._rows.end(alike[opening.most - 1 :], now)
        self._rows.sessions[session.session_id] = session
        places, subject = self._rows.places, opening.subject
        new = await places.note(subject, opening.address, now, MOST_PLACES)
        return self._rows.trail.record(records, Opened(ended, new))

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
        self._rows.sessions[session_id] = after
        if after.end_time != before.end_time:
            self._rows.endings.note([after])
        return self._rows.trail.record(records, outcome)

    async def list_live(
        self, user_id: UserId, now: int, after: Position | None, limit: int
    ) -> list[Session]:
        """See :meth:`SessionStore.list_live`."""
        found = [session for session in self._live(now) if session.user_id == user_id]
        return _page(found, lambda one: (one.create_time, one.session_id), after)[:limit]

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
        mine = [one for one in self._live(now) if one.user_id == user_id]
        ended = self._rows.end([one for one in mine if one.session_id != but], now)
        removed = self._rows.remove_others(user_id, but) if api_keys else ()
        keys = [key for key in self._rows.api_keys.values() if key.user_id == user_id]
        left = sum(not key.expired(now) for key in keys)
        return self._rows.trail.record(records, Ended(ended, removed, left))

    async def expire(self, now: int, limit: int, records: Records[list[Session]]) -> list[Session]:
        """See :meth:`SessionStore.expire`."""
        sessions = self._rows.sessions
        over = [one for one in sessions.values() if one.end_time is None and not one.live(now)]
        over.sort(key=lambda one: (one.expire_time, one.session_id))
        ended = [replace(one, end_time=one.expire_time) for one in over[:limit]]
        sessions.update({one.session_id: one for one in ended})
        return self._rows.trail.record(records, ended)

    async def count_live(self, now: int) -> int:
        """See :meth:`SessionStore.count_live`."""
        return len(self._live(now))

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
            over = min(one.expire_time, one.end_time or one.expire_time)
            if one.user_id == user_id and over <= before:
                del self._rows.sessions[one.session_id]

    def _live(self, now: int) -> list[Session]:
        return [session for session in self._rows.sessions.values() if session.live(now)]


class MemoryApiKeys:
    """An :class:`~antiphon_server.auth.ports.ApiKeyStore` in memory."""

    def __init__(self, rows: _Rows) -> None:
        self._rows = rows

    async def add(
        self, key: ApiKey, most: int, records: Records[ApiKey], answer: Answer | None = None
    ) -> bool:
        """See :meth:`ApiKeyStore.add`."""
        self._rows.requests.check(answer)
        parent = self._rows.api_keys.get(key.parent_key_id) if key.parent_key_id else None
        if key.parent_key_id and (parent is None or parent.expired(key.create_time)):
            raise DomainError(Reason.SESSION_REVOKED)
        if len(self._of(key.user_id)) >= most:
            return False
        self._rows.api_keys[key.key_id] = key
        self._rows.requests.remember(answer)
        self._rows.trail.record(records, key)
        return True

    async def find(self, secret_hash: bytes) -> ApiKey | None:
        """See :meth:`ApiKeyStore.find`."""
        keys = self._rows.api_keys.values()
        return next((key for key in keys if key.secret_hash == secret_hash), None)

    async def list_keys(self, user_id: UserId, after: Position | None, limit: int) -> list[ApiKey]:
        """See :meth:`ApiKeyStore.list_keys`."""
        found = self._of(user_id)
        return _page(found, lambda key: (key.create_time, key.key_id), after)[:limit]

    async def get(self, key_id: KeyId) -> ApiKey | None:
        """See :meth:`ApiKeyStore.get`."""
        return self._rows.api_keys.get(key_id)

    async def revoke(self, key: ApiKey, now: int, records: Records[Ended]) -> Ended | None:
        """See :meth:`ApiKeyStore.revoke`."""
        if key.key_id not in self._rows.api_keys:
            return None
        removed = descent(key.key_id, self._rows.parents(key.user_id))
        self._rows.remove(removed)
        sessions = self._rows.sessions.values()
        opened = [one for one in sessions if one.api_key_id in removed and one.live(now)]
        return self._rows.trail.record(records, Ended(self._rows.end(opened, now), removed))

    def _of(self, user_id: UserId) -> list[ApiKey]:
        return [key for key in self._rows.api_keys.values() if key.user_id == user_id]


class MemorySigningKeys:
    """A :class:`~antiphon_server.auth.ports.SigningKeyStore` in memory."""

    def __init__(self, rows: _Rows) -> None:
        self._keys: dict[str, StoredSigningKey] = {}
        self._rows = rows

    async def rotate(
        self,
        fresh: StoredSigningKey,
        when: int,
        now: int,
        records: Records[StoredSigningKey],
        unless_since: int | None = None,
        answer: Answer | None = None,
    ) -> bool:
        """See :meth:`SigningKeyStore.rotate`."""
        self._rows.requests.check(answer)
        used = [key for key in self._keys.values() if key.retire_time is None]
        if unless_since is not None and (
            not used or max(key.create_time for key in used) > unless_since
        ):
            return False
        dying = [
            replace(key, retire_time=min(when, _dies(key, when)))
            for key in await self.list_valid(now)
        ]
        self._keys = {key.kid: key for key in (*dying, fresh) if _dies(key, now + 1) > now}
        self._rows.requests.remember(answer)
        self._rows.trail.record(records, fresh)
        return True

    async def list_valid(self, now: int) -> list[StoredSigningKey]:
        """See :meth:`SigningKeyStore.list_valid`."""
        valid = [key for key in self._keys.values() if _dies(key, now + 1) > now]
        return sorted(valid, key=lambda key: (key.create_time, key.kid))


class MemoryAttempts:
    """An :class:`~antiphon_server.auth.ports.AttemptStore` in memory."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[int, int]] = {}

    async def count(self, key: str, now: int, window: int) -> tuple[int, int]:
        """See :meth:`AttemptStore.count`."""
        guesses, end = self._windows.get(key, (0, now))
        if end <= now:
            guesses, end = 0, now + window
            self._windows = {name: it for name, it in self._windows.items() if it[1] > now}
        self._windows[key] = guesses + 1, min(end, now + window)
        return self._windows[key]

    async def uncount(self, key: str) -> None:
        """See :meth:`AttemptStore.uncount`."""
        if key in self._windows:
            guesses, end = self._windows[key]
            self._windows[key] = max(guesses - 1, 0), end

    async def reset(self, key: str) -> None:
        """See :meth:`AttemptStore.reset`."""
        self._windows.pop(key, None)


def _dies(key: StoredSigningKey, never: int) -> int:
    return never if key.retire_time is None else key.retire_time


def _page(
    found: list[Listed], order: Callable[[Listed], tuple[int, str]], after: Position | None
) -> list[Listed]:
    newest_first = sorted(found, key=order, reverse=True)
    if after is None:
        return newest_first
    place = (after.create_time, after.item_id)
    return [item for item in newest_first if order(item) < place]
