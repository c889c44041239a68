"""Workspaces, conversations and who may do what in them. Times are microseconds since 1970."""

from dataclasses import dataclass
from typing import NewType, TypeAlias

from antiphon_server.runtime.access.permissions import INHERITED
from antiphon_server.runtime.access.permissions import Role as Role
from antiphon_server.runtime.access.policy import NO_ROLE, Held
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.encoding.open_enum import OpenIntEnum
from antiphon_server.runtime.errors import DomainError, Reason

WorkspaceId = NewType("WorkspaceId", str)
ConversationId = NewType("ConversationId", str)
ResourceId = NewType("ResourceId", str)
"""A workspace id or a conversation id."""
Labels: TypeAlias = tuple[tuple[str, str], ...]
"""Keys and values, by key, each key once: so equal ones are equal."""


class TurnPolicy(OpenIntEnum):
    """What a message does that arrives during a turn. The contract's values."""

    UNSPECIFIED = 0
    QUEUE = 1
    REJECT = 2
    INTERRUPT = 3
    ROLLBACK = 4
    PARALLEL = 5


@dataclass(frozen=True, slots=True)
class Workspace:
    """A tenant. ``version`` counts its changes, from 1."""

    workspace_id: WorkspaceId
    display_name: str
    create_us: int
    archive_us: int | None = None
    version: int = 1


def own_workspace_id(owner: UserId) -> WorkspaceId:
    """The id of the owner's default workspace, be it made or not."""
    return WorkspaceId(f"ws_{owner.removeprefix('user_')}")


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation. ``version`` counts its changes, from 1; activity is none.

    ``max_output_tokens`` is 0 where it leaves the length of answers to server and model. ``tools``
    are names of those that models may ask for here, or `source.*`. ``language`` is a BCP 47 tag.
    ``title_author`` is who gave it its title, "" where that is not known.
    """

    conversation_id: ConversationId
    workspace_id: WorkspaceId
    title: str
    turn_policy: TurnPolicy
    models: tuple[str, ...]
    instructions: str
    create_us: int
    archive_us: int | None = None
    version: int = 1
    activity_us: int = 0
    max_output_tokens: int = 0
    tools: tuple[str, ...] = ()
    labels: Labels = ()
    language: str = ""
    title_author: str = ""

    @property
    def last_activity_us(self) -> int:
        """When something was last said, or else when it was made."""
        return self.activity_us or self.create_us  # a server before this one noted none


@dataclass(frozen=True, slots=True)
class Member:
    """A user's role on one resource; ``display_name`` is what the user is called, if known."""

    resource: ResourceId
    user_id: UserId
    role: Role
    create_us: int
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class AssignedRoles:
    """A user's direct roles on an existing resource and on the workspace around it.

    For a workspace the two are the same.
    """

    workspace_id: WorkspaceId
    direct: Role
    of_workspace: Role

    @property
    def effective(self) -> Role:
        """The direct one, unless the workspace's counts here and is greater."""
        roles = self.direct, self.of_workspace
        return next((role for role in INHERITED if role in roles), self.direct)

    def held(self, resource: ResourceId) -> Held:
        """The effective role on ``resource``, whose roles these are, and where it comes from."""
        role = self.effective
        if role is Role.NONE:
            return NO_ROLE
        return Held(role, resource if role is self.direct else self.workspace_id)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page of things that are listed the latest first begins: after this one."""

    time_us: int
    item_id: str


def etag(version: int) -> str:
    """The opaque string that changes with every change."""
    return f"v{version:x}"


def check_etag(resource: str, version: int, seen: str) -> None:
    """Raise DomainError ETAG_MISMATCH if a change was ``seen`` that is not the last; "" is any."""
    if seen and seen != etag(version):
        raise DomainError(Reason.ETAG_MISMATCH, resource=resource)
