"""Workspaces, conversations and who may do what in them. Times are microseconds since 1970."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NewType

from antiphon_server.runtime.principal import UserId

WorkspaceId = NewType("WorkspaceId", str)
ConversationId = NewType("ConversationId", str)
ResourceId = NewType("ResourceId", str)
"""A workspace id or a conversation id."""


class Role(IntEnum):
    """What a user is on a resource; each includes those below. The contract's values."""

    NONE = 0
    VIEWER = 1
    MEMBER = 2
    ADMIN = 3
    OWNER = 4


class TurnPolicy(IntEnum):
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


@dataclass(frozen=True, slots=True)
class Conversation:
    """One exchange of messages. ``version`` counts its changes, from 1."""

    conversation_id: ConversationId
    workspace_id: WorkspaceId
    title: str
    turn_policy: TurnPolicy
    models: tuple[str, ...]
    instructions: str
    create_us: int
    archive_us: int | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Member:
    """A user's role on one resource."""

    resource: ResourceId
    user_id: UserId
    role: Role
    create_us: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A user's direct roles on an existing resource and on the workspace around it.

    For a workspace the two are the same.
    """

    workspace_id: WorkspaceId
    direct: Role
    of_workspace: Role

    @property
    def effective(self) -> Role:
        """The higher of the two, where a workspace's role counts from ADMIN up."""
        inherited = self.of_workspace if self.of_workspace >= Role.ADMIN else Role.NONE
        return max(self.direct, inherited)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page of things that are listed the newest first begins: after this one."""

    create_us: int
    item_id: str


def etag(version: int) -> str:
    """The opaque string that changes with every change."""
    return f"v{version:x}"
