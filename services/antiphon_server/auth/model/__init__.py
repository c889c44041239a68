"""The domain's own types.

Times are microseconds since the epoch, UTC. Hashes are SHA-256 digests.
"""

from dataclasses import dataclass, field
from typing import NewType

from antiphon_server.auth.model.origin import LoginMethod as LoginMethod
from antiphon_server.auth.model.origin import Origin as Origin
from antiphon_server.auth.model.requests import Request as Request
from antiphon_server.runtime.access.permissions import Scope
from antiphon_server.runtime.access.principal import SessionId, UserId
from antiphon_server.runtime.encoding.open_enum import OpenIntEnum

KeyId = NewType("KeyId", str)

SECOND = 1_000_000
DAY = 86_400 * SECOND
GRACE = 10 * SECOND
"""So long an answer that was lost may be asked for again."""
KEPT_AFTER_END = 30 * DAY
"""How long an ended session is remembered."""


class UserKind(OpenIntEnum):
    """The kind of an account. Values are those of the contract."""

    PERSON = 1
    PROGRAM = 2


@dataclass(frozen=True, slots=True)
class User:
    """An account. ``password_hash`` is None if its user signs in by other means.

    A ``disabled`` account has no sessions and gets none. ``password_version`` is incremented when
    the password changes and when the account is disabled, so that an operation that began earlier
    can detect it.
    """

    user_id: UserId
    name: str
    display_name: str
    operator: bool
    password_hash: str | None = field(repr=False)
    create_time: int
    kind: UserKind = UserKind.PERSON
    disabled: bool = False
    password_version: int = 0

    @property
    def governs(self) -> bool:
        """Whether this account is an operator who can sign in."""
        return self.operator and not self.disabled


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in, and the family of refresh tokens that descends from it.

    ``generation`` counts refreshes. ``refresh_hash`` is the hash of the newest refresh token,
    ``previous_hash`` that of the one before, and ``rotate_time`` is when the newest was issued.
    Each refresh extends ``expire_time``, up to ``final_expire_time``. After the session has ended,
    ``announced`` is False until the event log has recorded the end. Addresses are as in
    :class:`Origin`. ``scopes`` is None for an unlimited session.
    """

    session_id: SessionId
    user_id: UserId
    device: str
    api_key_id: KeyId | None
    create_time: int
    last_use_time: int
    expire_time: int
    final_expire_time: int
    generation: int
    refresh_hash: bytes = field(repr=False)
    previous_hash: bytes | None = field(repr=False)
    rotate_time: int
    end_time: int | None = None
    announced: bool = True
    method: LoginMethod = LoginMethod.UNSPECIFIED
    provider: str = ""
    first_address: str = ""
    last_address: str = ""
    scopes: frozenset[Scope] | None = None

    def live(self, now: int) -> bool:
        """Whether the session has neither been ended nor expired."""
        return self.end_time is None and self.expire_time > now

    def over(self, before: int) -> bool:
        """Whether it ended or expired before ``before``, and the log has recorded that."""
        return self.end_time is not None and self.end_time <= before and self.announced


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A program's credential, without its secret; ``scopes`` of None means unlimited.

    ``parent_key_id`` is the key of the same user that created it, if any; it ends with that key.
    """

    key_id: KeyId
    user_id: UserId
    label: str
    secret_hash: bytes = field(repr=False)
    create_time: int
    expire_time: int | None = None
    last_use_time: int | None = None
    last_address: str = ""
    scopes: frozenset[Scope] | None = None
    parent_key_id: KeyId | None = None

    def expired(self, now: int) -> bool:
        """Whether it has expired. A revoked key never becomes valid again."""
        return self.expire_time is not None and self.expire_time <= now


@dataclass(frozen=True, slots=True)
class StoredSigningKey:
    """An Ed25519 key pair as it is stored; the private part is sealed.

    From ``retire_time`` on, tokens signed with it are refused; None means that
    it is in use.
    """

    kid: str
    public_key: bytes
    sealed_private_key: bytes = field(repr=False)
    create_time: int
    retire_time: int | None = None


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new signing key, and the ids of those that were in use until then."""

    fresh: StoredSigningKey
    retired: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a client needs to call and to go on calling.

    Programs and services have no refresh token: theirs is empty.
    """

    access_token: str = field(repr=False)
    access_expire_time: int
    refresh_token: str = field(repr=False)
    refresh_expire_time: int
    session_id: SessionId


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The result of a successful sign-in."""

    tokens: TokenPair
    user: User


@dataclass(frozen=True, slots=True)
class Position:
    """A position in a list that is ordered by time, newest first, then by id."""

    create_time: int
    item_id: str
