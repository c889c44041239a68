"""What the stores in memory share, as tables share a database."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from antiphon_server.auth.adapters.memory_endings import MemoryEndings
from antiphon_server.auth.adapters.memory_places import MemoryPlaces
from antiphon_server.auth.adapters.memory_requests import MemoryRequests
from antiphon_server.auth.adapters.memory_security_events import MemorySecurityEvents
from antiphon_server.auth.model import (
    ApiKey,
    KeyId,
    Position,
    Session,
    User,
)
from antiphon_server.auth.model.identities import Identity
from antiphon_server.auth.model.revocations import others
from antiphon_server.runtime.principal import SessionId, UserId

Listed = TypeVar("Listed", Session, ApiKey)


@dataclass(slots=True)
class MemoryRows:
    """Rows of all, for those that one act changes together."""

    users: dict[UserId, User] = field(default_factory=dict)
    requests: MemoryRequests = field(default_factory=MemoryRequests)
    sessions: dict[SessionId, Session] = field(default_factory=dict)
    endings: MemoryEndings = field(default_factory=MemoryEndings)
    api_keys: dict[KeyId, ApiKey] = field(default_factory=dict)
    places: MemoryPlaces = field(default_factory=MemoryPlaces)
    trail: MemorySecurityEvents = field(init=False)

    def __post_init__(self) -> None:
        self.trail = MemorySecurityEvents(self.requests)

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

    def lives(self, session_id: SessionId, now: int) -> bool:
        """Whether that is a live session."""
        session = self.sessions.get(session_id)
        return session is not None and session.live(now)

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


def page(
    found: list[Listed], order: Callable[[Listed], tuple[int, str]], after: Position | None
) -> list[Listed]:
    """What follows a position in a list, the newest first."""
    newest_first = sorted(found, key=order, reverse=True)
    if after is None:
        return newest_first
    place = (after.create_time, after.item_id)
    return [item for item in newest_first if order(item) < place]
