"""What the rules of identity need from the outside."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from antiphon_server.auth.model import (
    ApiKey,
    KeyId,
    Position,
    Session,
    StoredSigningKey,
    User,
)
from antiphon_server.auth.model.openings import Opened, Opening
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.model.revocations import Ended
from antiphon_server.auth.model.user_changes import UserChange
from antiphon_server.auth.ports.device_logins import DeviceLoginStore
from antiphon_server.auth.ports.endings import EndingStore
from antiphon_server.auth.ports.expiring import Expiring
from antiphon_server.auth.ports.identities import IdentityStore
from antiphon_server.auth.ports.password_resets import PasswordResetStore
from antiphon_server.auth.ports.places import PlaceStore
from antiphon_server.auth.ports.requests import RequestStore
from antiphon_server.auth.ports.security_events import Records, SecurityEventStore
from antiphon_server.runtime.principal import SessionId, UserId

T = TypeVar("T")
Clock = Callable[[], float]
"""Unix time in seconds."""


class UserStore(Protocol):
    """Accounts, found by id and by folded name.

    Here as in the other stores, ``records`` are of what was done: nothing, if there was nothing
    to do. An ``answer`` is remembered in the same transaction; if its request was answered before,
    Repeated is raised instead, or DomainError REQUEST_ID_REUSED.
    """

    async def add(self, user: User, answer: Answer | None, records: Records[User]) -> User:
        """Store ``user``, and return it. Raises DomainError ALREADY_EXISTS if the name is taken."""
        ...

    async def get(self, user_id: UserId) -> User | None:
        """The user of that id."""
        ...

    async def find(self, name: str) -> User | None:
        """The user of that folded name."""
        ...

    async def list_named(self, prefix: str, after: str, limit: int) -> list[User]:
        """Users whose folded name begins with ``prefix`` and follows ``after``, by name."""
        ...

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
        """Replace the user by what ``rule`` makes of it, in one transaction.

        Where :func:`ends_sessions` says so it ends the user's live sessions, but for
        ``kept``, and as :meth:`SessionStore.end_all` the ``api_keys``. Concurrent changes
        happen one after another. What ``rule`` raises changes nothing. None if there is no
        such user. Raises DomainError LAST_OPERATOR if nobody would be left who governs.
        """
        ...

    async def replace_password_hash(self, user_id: UserId, old: str, new: str) -> None:
        """Store ``new`` unless the hash is no longer ``old``."""
        ...


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


class ApiKeyStore(Protocol):
    """API keys, found by the hash of their secret."""

    async def add(
        self, key: ApiKey, most: int, records: Records[ApiKey], answer: Answer | None = None
    ) -> bool:
        """Store the key; False if the user has ``most`` keys already.

        Raises DomainError SESSION_REVOKED if its parent works no more.
        """
        ...

    async def find(self, secret_hash: bytes) -> ApiKey | None:
        """The key whose secret has that hash."""
        ...

    async def list_keys(self, user_id: UserId, after: Position | None, limit: int) -> list[ApiKey]:
        """A page of the user's keys, the newest first."""
        ...

    async def get(self, key_id: KeyId) -> ApiKey | None:
        """The key of that id."""
        ...

    async def revoke(self, key: ApiKey, now: int, records: Records[Ended]) -> Ended | None:
        """Delete a key and its :func:`descent`, and end the live sessions that they opened.

        None if there is no such key.
        """
        ...


class SigningKeyStore(Protocol):
    """The keys that access tokens are signed with."""

    async def rotate(
        self,
        fresh: StoredSigningKey,
        when: int,
        now: int,
        records: Records[StoredSigningKey],
        unless_since: int | None = None,
        answer: Answer | None = None,
    ) -> bool:
        """Store a new key, and let all others die at ``when`` unless they die before.

        Those that are dead by ``now`` are forgotten. With ``unless_since`` nothing happens, and
        False is returned, if a key was made after that: of several processes that rotate at
        once, one does.
        """
        ...

    async def list_valid(self, now: int) -> list[StoredSigningKey]:
        """The keys that are not retired, the oldest first. Retired ones are deleted in time."""
        ...


class AttemptStore(Protocol):
    """Counters of guesses; each starts a window of time with its first guess."""

    async def count(self, key: str, now: int, window: int) -> tuple[int, int]:
        """Count one guess: the number so far in the key's window, and the window's end.

        That is ``now + window`` at most, even if the clock had run ahead.
        """
        ...

    async def uncount(self, key: str) -> None:
        """Take one guess back: it was right."""
        ...

    async def reset(self, key: str) -> None:
        """Forget the key."""
        ...


@dataclass(frozen=True, slots=True)
class Stores:
    """All that is kept."""

    users: UserStore
    requests: RequestStore
    sessions: SessionStore
    endings: EndingStore
    expiring: Expiring
    api_keys: ApiKeyStore
    signing_keys: SigningKeyStore
    attempts: AttemptStore
    security_events: SecurityEventStore
    places: PlaceStore
    password_resets: PasswordResetStore
    device_logins: DeviceLoginStore
    identities: IdentityStore


class PasswordHasher(Protocol):
    """A slow, memory-hard hash, computed off the event loop by a bounded pool."""

    def slot(self, *, reserved: bool = False) -> AbstractContextManager[None]:
        """A place in the pool, for one evaluation after another; some are ``reserved``.

        Raises DomainError OVERLOADED at once if too many wait.
        """
        ...

    async def hash(self, password: bytes) -> str:
        """The encoded hash; the caller has a slot."""
        ...

    async def verify(self, encoded: str, password: bytes) -> bool:
        """Whether the password has that hash, by one evaluation; the caller has a slot."""
        ...

    def decoy(self) -> str:
        """A hash of nothing, as costly to verify as a new one."""
        ...

    def outdated(self, encoded: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        ...


class ServerSecret(Protocol):
    """The installation's own secret, and what is made of it."""

    @property
    def is_new(self) -> bool:
        """Whether it was made at this start: what an earlier one sealed is lost."""
        ...

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose, always the same."""
        ...

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """Encrypt and authenticate."""
        ...

    def open(self, sealed: bytes, purpose: str) -> bytes | None:
        """Decrypt; None if it was not sealed with this secret and purpose."""
        ...


class SecretFile(Protocol):
    """One secret that only the owner of the process can read."""

    def read(self) -> str | None:
        """The secret; None if it is missing, unreadable or readable by others."""
        ...

    def write(self, secret: str) -> None:
        """Replace the secret, all or nothing."""
        ...


class SessionEvents(Protocol):
    """Tells everybody else that a session has ended."""

    async def session_revoked(self, user_id: UserId, session_id: SessionId) -> bool:
        """Make it known, once however often it is called; False if that failed for now."""
        ...
