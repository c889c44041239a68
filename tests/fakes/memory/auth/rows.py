"""What the stores in memory share, as tables share a database."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from antiphon_server.auth.model import (
    ApiKey,
    KeyId,
    Position,
    Session,
    User,
)
from antiphon_server.auth.model.revocations import others
from antiphon_server.runtime.access.principal import SessionId, UserId
from tests.fakes.memory.auth.endings import MemoryEndings
from tests.fakes.memory.auth.places import MemoryPlaces
from tests.fakes.memory.auth.requests import MemoryRequests
from tests.fakes.memory.auth.security_events import MemorySecurityEvents

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

    def other_keys(self, user_id: UserId, but: SessionId | None) -> list[KeyId]:
        """The user's keys, but for the one of a session and those that it depends on."""
        session = self.sessions.get(but) if but else None
        return others(session.api_key_id if session else None, self.parents(user_id))

    def lives(self, session_id: SessionId, now: int) -> bool:
        """Whether that is a live session."""
        session = self.sessions.get(session_id)
        return session is not None and session.live(now)

    def live_of(self, user_id: UserId, now: int) -> list[Session]:
        """The user's live sessions."""
        return [one for one in self.sessions.values() if one.user_id == user_id and one.live(now)]

    def end(self, ended: Sequence[Session]) -> None:
        """Store sessions that have ended, and give their ends their places."""
        self.sessions.update({session.session_id: session for session in ended})
        self.endings.add(ended)


def ended_at(now: int, sessions: Iterable[Session]) -> list[Session]:
    """What is to be stored of sessions that are ended at ``now``."""
    return [replace(session, end_time=now, announced=False) for session in sessions]


def page(
    found: list[Listed], order: Callable[[Listed], tuple[int, str]], after: Position | None
) -> list[Listed]:
    """What follows a position in a list, the newest first."""
    newest_first = sorted(found, key=order, reverse=True)
    if after is None:
        return newest_first
    place = (after.create_time, after.item_id)
    return [item for item in newest_first if order(item) < place]
