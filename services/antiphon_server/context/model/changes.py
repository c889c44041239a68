"""What happened to workspaces and conversations, in the past tense."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NewType, TypeAlias, TypeVar

from antiphon_server.context.model.notices import Notice
from antiphon_server.context.model.resources import (
    Conversation,
    ConversationId,
    Member,
    ResourceId,
    Workspace,
    WorkspaceId,
)
from antiphon_server.runtime.access.principal import UserId

T = TypeVar("T")
Scope = NewType("Scope", str)
"""Whose log it is: ``conversations/conv_…``, ``workspaces/ws_…``, ``users/user_…``, ``global``."""

EVERYBODY = Scope("global")
"""The log that everybody may read."""


@dataclass(frozen=True, slots=True)
class ConversationCreated:
    """The conversation exists."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class ConversationUpdated:
    """Its settings changed."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class ConversationArchived:
    """It accepts nothing new."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class ConversationUnarchived:
    """It is in use again."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class WorkspaceUpdated:
    """The workspace changed or was archived."""

    workspace: Workspace


@dataclass(frozen=True, slots=True)
class MemberAdded:
    """A user has a role here."""

    member: Member


@dataclass(frozen=True, slots=True)
class MemberUpdated:
    """A member's role changed."""

    member: Member


@dataclass(frozen=True, slots=True)
class MemberRemoved:
    """A user has no role here any more."""

    resource: ResourceId
    user_id: UserId


@dataclass(frozen=True, slots=True)
class NoticePublished:
    """The operators tell everybody something."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class NoticeWithdrawn:
    """It is over sooner than it said."""

    notice: Notice


Change: TypeAlias = (
    ConversationCreated
    | ConversationUpdated
    | ConversationArchived
    | ConversationUnarchived
    | WorkspaceUpdated
    | MemberAdded
    | MemberUpdated
    | MemberRemoved
    | NoticePublished
    | NoticeWithdrawn
)


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """Changes to tell the log in one append. ``entry_id`` makes it idempotent."""

    entry_id: str
    scope: Scope
    actor: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class EncodedEntry:
    """An outbox entry as stored and delivered: ``body`` is already encoded.

    Nobody decodes it on the way, so fields of a newer server are delivered intact. ``listener`` is
    the recipient. Each recipient gets its entries in order, independently of the others.
    ``superseded`` is one whose news for lists a later one brings, too, that waits behind it.
    """

    entry_id: str
    listener: str
    body: bytes
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class RequestKey:
    """A caller's request id, and the ``digest`` of the request's bytes."""

    actor: str
    request_id: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """The stored answer to a request: ``body`` is an encoded message, ``kind`` its name."""

    kind: str
    body: bytes


@dataclass(frozen=True, slots=True)
class PastRequest:
    """A request that was answered before."""

    digest: bytes
    answer: Answer


@dataclass(frozen=True, slots=True)
class Repeatable(Generic[T]):
    """A request that may be repeated: its key, and how its answer is encoded and decoded."""

    key: RequestKey
    encode: Callable[[T], Answer]
    decode: Callable[[Answer], T]


def conversation_scope(conversation_id: ConversationId) -> Scope:
    """The log of a conversation."""
    return Scope(f"conversations/{conversation_id}")


def workspace_scope(workspace_id: WorkspaceId) -> Scope:
    """The log of a workspace."""
    return Scope(f"workspaces/{workspace_id}")


def user_scope(user_id: UserId) -> Scope:
    """A user's log, which they alone read."""
    return Scope(f"users/{user_id}")


def resource_of(scope: Scope) -> ResourceId:
    """The workspace or conversation whose log it is."""
    return ResourceId(scope.partition("/")[2])


def scope_of(resource: ResourceId) -> Scope:
    """The log of a workspace or conversation."""
    kind = "workspaces" if resource.startswith("ws_") else "conversations"
    return Scope(f"{kind}/{resource}")
