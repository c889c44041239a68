"""Where sessions are kept."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from antiphon_server.auth.model import (
    Position,
    Session,
)
from antiphon_server.auth.model.openings import Opened, Opening
from antiphon_server.auth.model.revocations import Ended
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.access.principal import SessionId, UserId

T = TypeVar("T")


class SessionStore(Protocol):
    """Sessions, live and ended; those that ended long ago may be gone."""

    async def add(self, opening: Opening, records: Records[Opened]) -> Opened | None:
        """Store a new session, and note its place and the use of the API key that opened it.

        It ends the least recently used sessions of that key, or of the user's that no key
        opened, to keep live ones at ``most``: no key ends what others opened. None, with
        nothing stored, if the API key is gone, the user is disabled, or has another
        ``password_version`` than given, the ``sponsor`` is no live session, or the device's
        login was not approved, or has a session.
        """
        ...

    async def get(self, session_id: SessionId) -> Session | None:
        """The session of that id, live or ended."""
        ...

    async def change(
        self,
        session_id: SessionId,
        rule: Callable[[Session], tuple[Session, T]],
        records: Records[T],
    ) -> T | None:
        """Replace the session by what ``rule`` makes of it, in one transaction.

        Concurrent changes of one session happen one after another. Returns the
        rule's second result; None if there is no such session.
        """
        ...

    async def list_live(
        self, user_id: UserId, now: int, after: Position | None, limit: int
    ) -> list[Session]:
        """A page of the user's live sessions, the newest first."""
        ...

    async def expire(self, now: int, limit: int, records: Records[list[Session]]) -> list[Session]:
        """End sessions that ran out by ``now`` and that nobody has ended, as of that time.

        Those that ran out first come first. Nobody has to be told of these ends.
        """
        ...

    async def count_live(self, now: int) -> int:
        """How many sessions of all users live."""
        ...

    async def list_unannounced(self, limit: int) -> list[Session]:
        """Ended sessions that the event log does not know of yet."""
        ...

    async def end_all(
        self,
        user_id: UserId,
        but: SessionId | None,
        now: int,
        records: Records[Ended],
        *,
        api_keys: bool = False,
    ) -> Ended:
        """End the user's live sessions but one, in one transaction.

        With ``api_keys`` these are revoked, as by :meth:`ApiKeyStore.revoke`, too, but for
        the one that opened that session and those that it was made with.
        """
        ...

    async def mark_announced(self, session_ids: Sequence[SessionId]) -> None:
        """The event log knows of these."""
        ...
