"""What the context service keeps.

Rules run as synchronous functions of :class:`Records` inside one transaction of a
:class:`Store`, so that what they check still holds when they change something.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from antiphon_server.context.model.changes import (
    Answer,
    EncodedEntry,
    OutboxEntry,
    PastRequest,
    RequestKey,
)
from antiphon_server.context.model.erasure_tasks import ErasureBegun
from antiphon_server.context.model.erasures import Erasure, MessagesErased
from antiphon_server.context.model.listed import Listed
from antiphon_server.context.model.messages import (
    LeftOut,
    Message,
    MessageId,
    MessageSize,
    Offset,
    Totals,
)
from antiphon_server.context.model.notices import Notice, NoticeId
from antiphon_server.context.model.resources import (
    AssignedRoles,
    Conversation,
    ConversationId,
    Member,
    Position,
    ResourceId,
    Workspace,
    WorkspaceId,
)
from antiphon_server.context.model.role_changes import RoleChange
from antiphon_server.context.ports.erasures import ErasureTaskRecords
from antiphon_server.runtime.access.principal import UserId

T = TypeVar("T")


class Entry(Protocol):
    """Something that another service is to be told."""

    @property
    def entry_id(self) -> str:
        """By which telling it again is known."""
        ...


E_contra = TypeVar("E_contra", bound=Entry, contravariant=True)


class WorkspaceRecords(Protocol):
    """Workspaces within a transaction."""

    def get(self, workspace_id: WorkspaceId) -> Workspace | None:
        """The workspace."""
        ...

    def hold(self, workspace_id: WorkspaceId) -> Workspace | None:
        """The workspace, which nobody changes before the commit; others may hold it, too."""
        ...

    def add(self, workspace: Workspace) -> bool:
        """Store a new workspace; False if its id is taken."""
        ...

    def put(self, workspace: Workspace) -> None:
        """Replace the stored workspace."""
        ...

    def list_of(
        self, user_id: UserId, after: Position | None, limit: int, *, archived: bool
    ) -> list[Workspace]:
        """Those that the user is a member of, the newest first; archived ones if asked for."""
        ...


class ConversationRecords(Protocol):
    """Conversations within a transaction."""

    def get(self, conversation_id: ConversationId) -> Conversation | None:
        """The conversation."""
        ...

    def add(self, conversation: Conversation) -> bool:
        """Store a new conversation; False if its id is taken."""
        ...

    def put(self, conversation: Conversation) -> None:
        """Replace the stored conversation."""
        ...

    def page(self, listed: Listed, after: Position | None, limit: int) -> list[Conversation]:
        """Those that are listed, behind that place."""
        ...

    def titles(
        self, listed: Listed, after: Position | None, limit: int
    ) -> list[tuple[Position, str]]:
        """Places and titles of the same."""
        ...

    def readable(self, listed: Listed, among: Collection[ConversationId]) -> list[ConversationId]:
        """Those of these that are listed."""
        ...

    def those(self, conversation_ids: Sequence[str]) -> list[Conversation]:
        """Those that are there of these, in this order."""
        ...

    def note(self, activities: Mapping[ConversationId, int]) -> None:
        """Note when conversations were active, unless something later is known."""
        ...

    def note_missing(self, limit: int) -> bool:
        """Note some whose activity is unknown: the newest message, or else when they were made.

        Servers of the version before make such, and leave them. False if there are none left.
        """
        ...

    def list_ids(self, after: ConversationId | None, limit: int) -> list[ConversationId]:
        """A page of all there are, in the order of their ids."""
        ...


class MemberRecords(Protocol):
    """Direct roles within a transaction."""

    def assigned_roles(self, user_id: UserId, resource: ResourceId) -> AssignedRoles | None:
        """The user's roles around a resource; None if there is no such resource."""
        ...

    def seen(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> tuple[Conversation, AssignedRoles] | None:
        """A conversation and the user's roles around it, by one query; None if there is none."""
        ...

    def lock(self, resource: ResourceId) -> None:
        """Let nobody else change the resource or its members until the transaction's end."""
        ...

    def get(self, resource: ResourceId, user_id: UserId) -> Member | None:
        """The user's direct role on the resource."""
        ...

    def add(self, member: Member, resource_create_us: int, resource_activity_us: int = 0) -> None:
        """Store a new member of a resource that was made, and last active, at those times.

        Without the second it was last active when it was made.
        """
        ...

    def put(self, member: Member) -> None:
        """Replace the stored member."""
        ...

    def remove(self, resource: ResourceId, user_id: UserId) -> None:
        """Delete the member."""
        ...

    def count_owners(self, resource: ResourceId) -> int:
        """How many direct owners the resource has."""
        ...

    def readers(self, resource: ResourceId, after: UserId, limit: int) -> Sequence[UserId]:
        """A page of who may read the resource, by a role on it or on the workspace around it.

        In the order of their ids, behind ``after``.
        """

    def guest_in(self, user_id: UserId) -> Sequence[ConversationId]:
        """Where that user is a guest, and nothing more by a role on the workspace."""
        ...

    def has_guests(self, resource: ResourceId) -> bool:
        """Whether anybody is a guest there."""
        ...

    def list_of(self, resource: ResourceId, after: UserId | None, limit: int) -> list[Member]:
        """A page of the resource's direct members, in the order of their user ids."""
        ...


class MessageRecords(Protocol):
    """The projection of the logs' messages within a transaction."""

    def cursor(self, conversation_id: ConversationId) -> str:
        """Up to where in the log the projection tells everything; empty for the beginning."""
        ...

    def set_cursor(self, conversation_id: ConversationId, cursor: str) -> None:
        """Note that everything up to there is in the projection."""
        ...

    def add(self, messages: Sequence[Message]) -> None:
        """Store messages of one conversation, newer than all stored ones, in order."""
        ...

    def roll_back(self, conversation_id: ConversationId, turn_ids: Collection[str]) -> None:
        """Mark the turns' messages as rolled back."""
        ...

    def of_turns(
        self, conversation_id: ConversationId, turn_ids: Collection[str]
    ) -> Sequence[Message]:
        """The messages of these turns, the oldest first."""
        ...

    def erase(self, conversation_id: ConversationId, message_ids: Collection[MessageId]) -> None:
        """Take away what they say, and leave them out of the context; their places stay."""
        ...

    def clear(self, conversation_id: ConversationId) -> None:
        """Forget everything about the conversation's messages, the cursor included."""
        ...

    def find(self, conversation_id: ConversationId, message_id: MessageId) -> Message | None:
        """The message of that id."""
        ...

    def those(
        self,
        names: Sequence[tuple[ConversationId, MessageId]],
        max_bytes: int,
        *,
        rolled_back: bool,
    ) -> list[Message]:
        """The messages that there are of these; as many of the first ones as come to that much.

        Without ``rolled_back`` those that are in the context alone.
        """
        ...

    def sizes(
        self,
        conversation_id: ConversationId,
        before: Offset | None,
        limit: int,
        *,
        rolled_back: bool,
    ) -> list[MessageSize]:
        """Of messages below ``before``, the newest first; those that are not in the context
        (rolled back ones, asides) if asked for.
        """
        ...

    def between(
        self, conversation_id: ConversationId, first: Offset, last: Offset, *, rolled_back: bool
    ) -> list[Message]:
        """Messages from ``first`` to ``last``, the newest first."""
        ...

    def totals(self, conversation_id: ConversationId, before: Offset | None) -> Totals:
        """All messages below ``before``, in the context or not, at a cost that does not grow."""
        ...

    def left_out(self, conversation_id: ConversationId, before: Offset | None) -> LeftOut:
        """The messages below ``before`` that are not in the context."""
        ...

    def newest_before(
        self, conversation_ids: Collection[ConversationId], create_us: int
    ) -> dict[ConversationId, Offset]:
        """Each conversation's newest message from before that time, unless trimmed already."""
        ...

    def set_trimmed(self, offsets: dict[ConversationId, Offset]) -> None:
        """Note that the logs were trimmed up to and including these places."""
        ...


class ErasureRecords(Protocol):
    """What is to be erased, until it is done, within a transaction."""

    def add(self, erasure: Erasure) -> None:
        """Keep it."""
        ...

    def waiting(self, limit: int) -> Sequence[Erasure]:
        """Those that wait longest."""
        ...

    def waiting_in(self, conversation_id: ConversationId) -> Sequence[Erasure]:
        """Those of one conversation, in order."""
        ...

    def put(self, erasure: Erasure) -> None:
        """Keep how far it is; one that is done stays so."""
        ...

    def remove(self, erasure_id: str) -> None:
        """It is done."""
        ...


class NoticeRecords(Protocol):
    """Notices within a transaction."""

    def lock(self) -> None:
        """Let nobody else change notices until the transaction's end."""
        ...

    def get(self, notice_id: NoticeId) -> Notice | None:
        """The notice."""
        ...

    def add(self, notice: Notice) -> None:
        """Store a new one."""
        ...

    def withdraw(self, notice_id: NoticeId, withdraw_us: int) -> None:
        """End it then."""
        ...

    def page(self, ends_after_us: int, after: Position | None, limit: int) -> list[Notice]:
        """Those that end after that time, the newest first, behind that place."""
        ...

    def forget(self, ended_before_us: int) -> None:
        """Drop those that ended before that."""
        ...


class OutboxRecords(Protocol[E_contra]):
    """What somebody is still to be told, within a transaction."""

    def add(self, entry: E_contra) -> None:
        """Put the entry behind those that wait."""
        ...

    def first(self, limit: int) -> list[EncodedEntry]:
        """The entries that wait longest, in order."""
        ...

    def remove(self, entry_ids: Sequence[str]) -> None:
        """These are known now."""
        ...

    def set_aside(self, entry_id: str, why: str, now_us: int) -> None:
        """Keep an entry that waits where it holds up nobody."""
        ...

    def count_set_aside(self) -> int:
        """How many were set aside."""
        ...

    def set_aside_after(self, place: int, limit: int) -> list[tuple[int, EncodedEntry]]:
        """Entries that were set aside, each with its place, in order; 0 is before the first."""
        ...

    def forget(self, entry_ids: Sequence[str]) -> None:
        """These, which were set aside, are known now."""
        ...


class RequestRecords(Protocol):
    """Answers to requests that may be repeated, within a transaction."""

    def find(self, actor: str, request_id: str) -> PastRequest | None:
        """What the caller got for that request id before."""
        ...

    def add(self, key: RequestKey, answer: Answer, create_us: int) -> bool:
        """Remember the answer; False if the caller's request id was answered before.

        A transaction that has just remembered another one is waited for: afterwards ``find``
        finds what it has committed.
        """
        ...

    def forget_titles(
        self, conversation_id: ConversationId, those: Callable[[str, str], bool]
    ) -> None:
        """Answers about the conversation say none of those titles any more.

        ``those`` gets a title and who gave it.
        """
        ...

    def forget(self, before_us: int) -> int:
        """Drop those older than that; returns how many."""
        ...


class Records(Protocol):
    """Everything that is kept, as one transaction sees it."""

    @property
    def workspaces(self) -> WorkspaceRecords:
        """Workspaces."""
        ...

    @property
    def conversations(self) -> ConversationRecords:
        """Conversations."""
        ...

    @property
    def members(self) -> MemberRecords:
        """Who has which role."""
        ...

    @property
    def messages(self) -> MessageRecords:
        """What was said."""
        ...

    @property
    def notices(self) -> NoticeRecords:
        """What operators say to everybody."""
        ...

    @property
    def outbox(self) -> OutboxRecords[OutboxEntry]:
        """What the log is to be told."""
        ...

    @property
    def audit_outbox(self) -> OutboxRecords[RoleChange | MessagesErased | ErasureBegun]:
        """What the audit trail is to be told."""
        ...

    @property
    def erasures(self) -> ErasureRecords:
        """What is to be erased."""
        ...

    @property
    def erasure_tasks(self) -> ErasureTaskRecords:
        """Erasures that take a while."""
        ...

    @property
    def requests(self) -> RequestRecords:
        """What was answered."""
        ...


class Store(Protocol):
    """Keeps everything; runs rules in transactions."""

    async def write(self, work: Callable[[Records], T], *, short: bool = False) -> T:
        """Run ``work`` alone and return after its changes are on disk.

        What ``work`` raises undoes its changes and is raised here. Cancelling the call
        does not undo it. Raises DomainError STORE_UNAVAILABLE (nothing was stored) and
        OVERLOADED.
        """
        ...

    async def read(self, work: Callable[[Records], T], *, snapshot: bool = True) -> T:
        """Run ``work``, which changes nothing, on a committed view: that of one moment.

        Without a ``snapshot`` each thing that it reads is as it is then, which is cheaper
        on several machines.

        Raises DomainError STORE_UNAVAILABLE.
        """
        ...

    async def scrub(self, *, copies: bool = False) -> None:
        """Return when no file holds what erased messages said, as :meth:`Database.scrub` says.

        Raises DomainError STORE_UNAVAILABLE.
        """
        ...
