"""What happened and has to be accounted for: the contract's SecurityEvent, as the rules know it.

Every class here has the name and the fields of its message in ``antiphon.auth.v1``; what they
mean stands there. A test holds the two equal. Import the module and say
``security_events.SignedIn``: other parts of the model have such names, too.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NewType

from antiphon_server.auth.model.origin import LoginMethod
from antiphon_server.runtime.errors import Reason

RoleNumber = NewType("RoleNumber", int)
"""A value of the contract's enum ``antiphon.auth.v1.Role``."""


class SignInFailure(IntEnum):
    """Why credentials were refused."""

    UNKNOWN = 1
    WRONG_SECRET = 2
    EXPIRED = 3
    DISABLED = 4
    REPLAYED = 5
    UNTRUSTED = 6
    NOT_ALLOWED = 7


class RevocationCause(IntEnum):
    """Why a session was ended."""

    REQUESTED = 1
    API_KEY_REVOKED = 2
    TOO_MANY = 3
    PASSWORD_CHANGED = 4
    USER_DISABLED = 5
    REFRESH_TOKEN_REUSED = 6
    RIGHTS_CHANGED = 7


class AlarmKind(IntEnum):
    """What was unusual."""

    FAILURES_FROM_ADDRESS = 1
    FAILURES_ON_NAME = 2
    REFUSALS_OF_ACTOR = 3
    NEW_PLACE = 4
    REFRESH_TOKEN_REUSED = 5
    API_KEY_IN_NEW_PLACE = 6


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session was opened."""

    method: LoginMethod
    provider: str = ""
    device: str = ""
    new_place: bool = False


@dataclass(frozen=True, slots=True)
class SignInFailed:
    """Credentials were presented, looked at and refused."""

    method: LoginMethod
    failure: SignInFailure
    provider: str = ""
    name_hash: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class SignInsRefused:
    """Attempts were refused without being looked at."""

    method: LoginMethod
    name_hash: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class SignedOut:
    """A user ended the session that they called with."""


@dataclass(frozen=True, slots=True)
class SessionRevoked:
    """A session was ended by anything but its own sign-out."""

    session_id: str
    cause: RevocationCause


@dataclass(frozen=True, slots=True)
class SessionExpired:
    """A session was not refreshed in time, or reached its end."""

    session_id: str


@dataclass(frozen=True, slots=True)
class RefreshTokenReused:
    """A refresh token that was used up came again."""

    session_id: str


@dataclass(frozen=True, slots=True)
class ApiKeyCreated:
    """A program's credential was made."""

    key_id: str
    label: str = ""
    expire_time: int | None = None


@dataclass(frozen=True, slots=True)
class ApiKeyUsed:
    """A program bought tokens with its credential."""

    key_id: str
    new_place: bool = False
    count: int = 1


@dataclass(frozen=True, slots=True)
class ApiKeyRevoked:
    """A program's credential was deleted."""

    key_id: str


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """A password was replaced."""


@dataclass(frozen=True, slots=True)
class PasswordResetCreated:
    """A single-use token to set a password was made."""

    expire_time: int | None = None


@dataclass(frozen=True, slots=True)
class PasswordResetUsed:
    """A password was set with such a token."""


@dataclass(frozen=True, slots=True)
class IdentityLinked:
    """An account can be signed in to by an identity elsewhere."""

    provider: str
    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class IdentityUnlinked:
    """An account can no longer be signed in to by that identity."""

    provider: str
    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class DeviceLoginDecided:
    """A person decided whether a device comes in."""

    approved: bool
    device: str = ""


@dataclass(frozen=True, slots=True)
class UserCreated:
    """An account was made."""

    name: str
    operator: bool = False


@dataclass(frozen=True, slots=True)
class UserUpdated:
    """An account was changed."""

    changed: tuple[str, ...]
    operator: bool = False


@dataclass(frozen=True, slots=True)
class UserDisabled:
    """An account was shut."""


@dataclass(frozen=True, slots=True)
class UserEnabled:
    """An account was opened again."""


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """Somebody was given a role, another one, or none; 0 is none."""

    resource: str
    before: RoleNumber
    after: RoleNumber


@dataclass(frozen=True, slots=True)
class AccessRefused:
    """Calls were refused because the caller may not make them."""

    rpc: str
    permission: int
    resource: str
    reason: Reason
    count: int = 1


@dataclass(frozen=True, slots=True)
class RateLimited:
    """Calls were refused because there were too many."""

    rpc: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class SigningKeysRotated:
    """Access tokens are signed with another key."""

    kid: str
    retired: tuple[str, ...] = ()
    public_key: str = ""


@dataclass(frozen=True, slots=True)
class SecurityEventsExported:
    """Somebody took a copy of security events."""

    first_sequence: int
    last_sequence: int


@dataclass(frozen=True, slots=True)
class AlarmRaised:
    """Something unusual was seen in the events before."""

    kind: AlarmKind
    subject: str
    count: int = 1
    window_ms: int = 0


@dataclass(frozen=True, slots=True)
class SecretStored:
    """A workspace's secret was stored."""

    resource: str
    name: str
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class SecretDeleted:
    """A workspace's secret was removed."""

    resource: str
    name: str


@dataclass(frozen=True, slots=True)
class SecretKeysRotated:
    """Secrets are sealed by another key of the installation."""

    key_id: str


@dataclass(frozen=True, slots=True)
class ConnectionCreated:
    """A workspace was connected to something outside."""

    resource: str
    name: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionUpdated:
    """A workspace's connection was changed."""

    resource: str
    name: str
    changed: tuple[str, ...]
    secret: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionDeleted:
    """A workspace's connection was removed."""

    resource: str
    name: str


@dataclass(frozen=True, slots=True)
class ConnectionAuthorized:
    """A person consented to a connection."""

    resource: str
    name: str


@dataclass(frozen=True, slots=True)
class EgressRulesChanged:
    """A workspace's connections may call other hosts; none is all that the operator allows."""

    resource: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolRuleChanged:
    """A workspace says otherwise whether a tool may be called; "" is nothing said."""

    resource: str
    tool: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class ToolApproved:
    """A tool was taken as it is now; the digest is in hexadecimal."""

    resource: str
    tool: str
    definition_sha256: str


@dataclass(frozen=True, slots=True)
class BudgetPut:
    """A budget was made or changed; its limit is in millionths of a currency, tokens or calls."""

    resource: str
    name: str
    limit: int


@dataclass(frozen=True, slots=True)
class BudgetDeleted:
    """A budget was removed."""

    resource: str
    name: str


@dataclass(frozen=True, slots=True)
class BreakerSwitched:
    """An operator had something called no more (``open``), or again."""

    resource: str
    open: bool = False


@dataclass(frozen=True, slots=True)
class ToolPriceChanged:
    """A workspace says otherwise what calls of a tool cost; without a currency, nothing."""

    resource: str
    tool: str
    currency: str = ""
    micros: int = 0


@dataclass(frozen=True, slots=True)
class WorkerAllowed:
    """A user's workers may serve a handler of a workspace, or of the installation."""

    resource: str
    handler: str


@dataclass(frozen=True, slots=True)
class WorkerForbidden:
    """A user's workers may serve a handler no more."""

    resource: str
    handler: str


@dataclass(frozen=True, slots=True)
class RolloutSet:
    """It was said which versions of a deployment of workers begin turns."""

    resource: str
    deployment: str
    current_version: str = ""
    ramping_version: str = ""
    ramping_percent: int = 0


@dataclass(frozen=True, slots=True)
class RoutesSet:
    """The rules by which turns of a workspace, or of all, find handlers were changed."""

    resource: str
    revision: int


@dataclass(frozen=True, slots=True)
class FiltersSet:
    """What stands in front of what is said in a workspace, or in all, was changed."""

    resource: str
    revision: int


@dataclass(frozen=True, slots=True)
class ScheduleCreated:
    """Somebody had turns start by the clock, in their name."""

    resource: str
    schedule_id: str
    due: str


@dataclass(frozen=True, slots=True)
class ScheduleUpdated:
    """A schedule was changed, paused or let go on."""

    resource: str
    schedule_id: str
    changed: tuple[str, ...]
    due: str = ""


@dataclass(frozen=True, slots=True)
class ScheduleDeleted:
    """A schedule was taken away."""

    resource: str
    schedule_id: str


@dataclass(frozen=True, slots=True)
class WebhookCreated:
    """An address is told of turns of a user, or of a workspace."""

    resource: str
    webhook_id: str
    host: str


@dataclass(frozen=True, slots=True)
class WebhookUpdated:
    """It was said otherwise what an address is told, or whether."""

    resource: str
    webhook_id: str
    host: str
    disabled: bool


@dataclass(frozen=True, slots=True)
class WebhookDeleted:
    """An address is told nothing any more."""

    resource: str
    webhook_id: str


@dataclass(frozen=True, slots=True)
class WebhookSecretRotated:
    """What an address is told is signed by another secret."""

    resource: str
    webhook_id: str


@dataclass(frozen=True, slots=True)
class DetectorsSet:
    """What watches a workspace, or all, for what is out of the ordinary was changed."""

    resource: str
    revision: int


@dataclass(frozen=True, slots=True)
class FlagRaised:
    """A detector has flagged a subject, and that has an effect."""

    resource: str
    flag_id: str
    detector: str
    subject: str
    effect: str


@dataclass(frozen=True, slots=True)
class FlagCleared:
    """Somebody has cleared a flag, for a reason."""

    resource: str
    flag_id: str
    detector: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class MemoryForgotten:
    """What a memory said is gone."""

    resource: str
    memory_id: str


@dataclass(frozen=True, slots=True)
class ExternalMemoryResynced:
    """An operator has a memory of others told everything anew."""

    resource: str
    connection: str


@dataclass(frozen=True, slots=True)
class MessagesErased:
    """Somebody has erased what messages said."""

    resource: str
    message_ids: tuple[str, ...]
    answers: bool = False


@dataclass(frozen=True, slots=True)
class ProfileChanged:
    """What a user wants to be known by was changed: the names of the fields."""

    workspace_id: str
    fields: tuple[str, ...]
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class EntityDeleted:
    """An entity's names and mentions are gone."""

    resource: str
    entity_id: str


@dataclass(frozen=True, slots=True)
class ErasureBegun:
    """Somebody has begun to erase all of a conversation, or of a person."""

    resource: str


Detail = (
    SignedIn
    | SignInFailed
    | SignInsRefused
    | SignedOut
    | SessionRevoked
    | SessionExpired
    | RefreshTokenReused
    | ApiKeyCreated
    | ApiKeyUsed
    | ApiKeyRevoked
    | PasswordChanged
    | PasswordResetCreated
    | PasswordResetUsed
    | IdentityLinked
    | IdentityUnlinked
    | DeviceLoginDecided
    | UserCreated
    | UserUpdated
    | UserDisabled
    | UserEnabled
    | RoleChanged
    | AccessRefused
    | RateLimited
    | SigningKeysRotated
    | SecurityEventsExported
    | AlarmRaised
    | SecretStored
    | SecretDeleted
    | SecretKeysRotated
    | ConnectionCreated
    | ConnectionUpdated
    | ConnectionDeleted
    | ConnectionAuthorized
    | EgressRulesChanged
    | ToolRuleChanged
    | ToolApproved
    | BudgetPut
    | BudgetDeleted
    | BreakerSwitched
    | ToolPriceChanged
    | WorkerAllowed
    | WorkerForbidden
    | RolloutSet
    | RoutesSet
    | FiltersSet
    | ScheduleCreated
    | ScheduleUpdated
    | ScheduleDeleted
    | WebhookCreated
    | WebhookUpdated
    | WebhookDeleted
    | WebhookSecretRotated
    | DetectorsSet
    | FlagRaised
    | FlagCleared
    | MemoryForgotten
    | MessagesErased
    | ProfileChanged
    | EntityDeleted
    | ExternalMemoryResynced
    | ErasureBegun
)


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """An entry of the audit trail: what happened, to whose account, by whom and from where.

    Where ``actor``, ``session_id`` or ``address`` is None, the value of the current call is used.
    No field may hold a secret.
    """

    detail: Detail
    user_id: str = ""
    actor: str | None = None
    session_id: str | None = None
    address: str | None = None
