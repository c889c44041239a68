"""The rules of conversations."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from antiphon_server.context.model.changes import (
    Change,
    ConversationArchived,
    ConversationCreated,
    ConversationUnarchived,
    ConversationUpdated,
    MemberAdded,
    Repeatable,
    conversation_scope,
)
from antiphon_server.context.model.erasure_tasks import CONVERSATION, WORKSPACE
from antiphon_server.context.model.listed import Listed, Order, Shelf
from antiphon_server.context.model.resources import (
    Conversation,
    ConversationId,
    Labels,
    Member,
    ResourceId,
    Role,
    TurnPolicy,
    WorkspaceId,
    check_etag,
)
from antiphon_server.context.ports import Clock, Records, Store
from antiphon_server.context.service.access import owner_of_new, require
from antiphon_server.context.service.changes import Changes, add_to_outbox, answered, answered_first
from antiphon_server.context.service.directory import Directory
from antiphon_server.context.service.limits import ConversationPatch
from antiphon_server.context.service.pages import Page, page_of, position
from antiphon_server.context.service.titles import search, size_of
from antiphon_server.context.service.workspaces import own_workspace
from antiphon_server.runtime.access.permissions import INHERITED, Permission
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.encoding.ids import looks_made, new_id
from antiphon_server.runtime.errors import DomainError, Reason, invalid, not_found


@dataclass(frozen=True, slots=True)
class NewConversation:
    """What the caller asks for; empty ids are chosen here, by the contract's rules."""

    conversation_id: ConversationId
    workspace_id: WorkspaceId
    title: str = ""
    turn_policy: TurnPolicy = TurnPolicy.UNSPECIFIED
    models: tuple[str, ...] = ()
    instructions: str = ""
    max_output_tokens: int = 0
    tools: tuple[str, ...] = ()
    labels: Labels = ()
    language: str = ""


@dataclass(frozen=True, slots=True)
class ListWish:
    """Which of the caller's conversations to list; an empty ``workspace_id`` is all."""

    workspace_id: WorkspaceId
    shelf: Shelf = Shelf.IN_USE
    order: Order = Order.NEWEST
    title_contains: str = ""


class Conversations:
    """Makes, finds and changes conversations. Everything raises STORE_UNAVAILABLE, too."""

    def __init__(self, store: Store, directory: Directory, changes: Changes, clock: Clock) -> None:
        self._store = store
        self._directory = directory
        self._changes = changes
        self._clock = clock

    async def create(
        self, principal: Principal, wish: NewConversation, request: Repeatable[Conversation] | None
    ) -> Conversation:
        """Make a conversation that the caller owns.

        Raises DomainError ALREADY_EXISTS, REQUEST_ID_REUSED, NOT_FOUND (the workspace, or the
        id where it is not the caller's to choose), INVALID_ARGUMENT (the workspace is archived).
        """
        owner, now = owner_of_new(principal), int(self._clock() * 1e6)

        def work(records: Records) -> Conversation:
            before = answered(records, request)
            if before is not None:
                return before
            workspace_id = wish.workspace_id or own_workspace(records, principal, owner, now)
            conversation = _new(principal, _open(records, principal, workspace_id), wish, now)
            first = answered_first(records, request, conversation, now)
            if first is not conversation:
                return first
            if looks_made(wish.conversation_id) or not records.conversations.add(conversation):
                raise _not_to_choose(records, owner, wish.conversation_id)
            member = Member(ResourceId(conversation.conversation_id), owner, Role.OWNER, now)
            records.members.add(member, now)
            _tell(records, principal, conversation, ConversationCreated, MemberAdded(member))
            return conversation

        return await self._changes.make(work, of_user=owner)

    async def made_before(
        self,
        owner: UserId,
        conversation_id: ConversationId,
        request: Repeatable[Conversation] | None,
    ) -> Conversation | None:
        """What the same request got before; None if it is new.

        Raises DomainError REQUEST_ID_REUSED, and as :meth:`create` if there is one of that id.
        """

        def work(records: Records) -> Conversation | None:
            before = answered(records, request)
            if before is None and conversation_id and records.conversations.get(conversation_id):
                raise _not_to_choose(records, owner, conversation_id)
            return before

        return await self._store.read(work)

    async def answered(self, request: Repeatable[Conversation] | None) -> Conversation | None:
        """What the same request got before; None if it is new. Raises REQUEST_ID_REUSED."""
        if request is None:
            return None
        return await self._store.read(lambda r: answered(r, request))

    async def get(self, principal: Principal, conversation_id: ConversationId) -> Conversation:
        """One conversation. Raises DomainError NOT_FOUND."""
        return await self._directory.find(principal, conversation_id, Permission.READ)

    async def list(
        self, principal: Principal, wish: ListWish, limit: int, token: str
    ) -> Page[Conversation]:
        """Those that the caller may read; see the contract's ListConversations.

        A workspace that does not exist has none. Raises DomainError PAGE_TOKEN_INVALID.
        """
        listed = f"conversations of {principal.user_id} {wish}"
        after = position(token, listed)

        def work(records: Records) -> Page[Conversation]:
            those = listed_for(records, principal, wish)
            if wish.title_contains:
                return search(records, those, listed, wish.title_contains, after, limit)
            found = records.conversations.page(those, after, limit + 1)
            return page_of(listed, found, limit, those.place, size_of)

        return await self._store.read(work)

    async def update(
        self,
        principal: Principal,
        conversation_id: ConversationId,
        patch: ConversationPatch,
        seen_etag: str,
        request: Repeatable[Conversation] | None = None,
    ) -> Conversation:
        """Change its settings.

        Raises DomainError NOT_FOUND, ETAG_MISMATCH, INVALID_ARGUMENT, REQUEST_ID_REUSED.
        """
        patch.check()

        def change(conversation: Conversation) -> Conversation:
            check_etag(conversation_id, conversation.version, seen_etag)
            after = patch.apply(conversation)
            if after.title == conversation.title:
                return after
            return replace(after, title_author=principal.actor)

        return await self._change(principal, conversation_id, change, ConversationUpdated, request)

    async def archive(self, principal: Principal, conversation_id: ConversationId) -> Conversation:
        """Take it out of use, if it is not already. Raises DomainError NOT_FOUND."""
        now = int(self._clock() * 1e6)

        def change(conversation: Conversation) -> Conversation:
            return (
                conversation if conversation.archive_us else replace(conversation, archive_us=now)
            )

        return await self._change(principal, conversation_id, change, ConversationArchived)

    async def unarchive(
        self, principal: Principal, conversation_id: ConversationId
    ) -> Conversation:
        """Take it into use again, if it is not. Raises DomainError NOT_FOUND."""

        def change(conversation: Conversation) -> Conversation:
            return replace(conversation, archive_us=None)

        return await self._change(principal, conversation_id, change, ConversationUnarchived)

    async def _change(
        self,
        principal: Principal,
        conversation_id: ConversationId,
        change: Callable[[Conversation], Conversation],
        past_tense: Callable[[Conversation], Change],
        request: Repeatable[Conversation] | None = None,
    ) -> Conversation:
        now = int(self._clock() * 1e6)

        def work(records: Records) -> Conversation:
            records.members.lock(ResourceId(conversation_id))
            before = _get(records, principal, conversation_id, Permission.MANAGE)
            past = answered(records, request)
            if past is not None:
                return past
            after = change(before)
            if after != before:
                if before.archive_us and records.erasure_tasks.get(CONVERSATION + conversation_id):
                    raise DomainError(Reason.CONVERSATION_ERASED, conversation_id=conversation_id)
                after = replace(after, version=before.version + 1)
                records.conversations.put(after)
                _tell(records, principal, after, past_tense)
            return answered_first(records, request, after, now)

        return await self._changes.make(work, of_conversation=conversation_id)


def _get(
    records: Records, principal: Principal, conversation_id: ConversationId, permission: Permission
) -> Conversation:
    """The conversation, if the caller may. Raises NOT_FOUND, PERMISSION_DENIED."""
    require(records, principal, conversation_id, permission)
    conversation = records.conversations.get(conversation_id)
    if conversation is None:
        raise not_found(conversation_id)
    return conversation


def _open(records: Records, principal: Principal, workspace_id: WorkspaceId) -> WorkspaceId:
    """A workspace that the caller may write in and that is in use, also at the commit."""
    require(records, principal, workspace_id, Permission.WRITE)
    workspace = records.workspaces.hold(workspace_id)
    if workspace is None:
        raise not_found(workspace_id)
    if workspace.archive_us and records.erasure_tasks.get(WORKSPACE + workspace_id):
        raise DomainError(Reason.WORKSPACE_ERASED, workspace_id=workspace_id)
    if workspace.archive_us:
        raise invalid("workspace_id", "the workspace is archived")
    return workspace_id


def _new(
    principal: Principal, workspace_id: WorkspaceId, wish: NewConversation, now: int
) -> Conversation:
    return Conversation(
        wish.conversation_id or ConversationId(new_id("conv")),
        workspace_id,
        wish.title,
        wish.turn_policy or TurnPolicy.QUEUE,
        wish.models,
        wish.instructions,
        now,
        max_output_tokens=wish.max_output_tokens,
        tools=wish.tools,
        labels=wish.labels,
        language=wish.language,
        activity_us=now,
        title_author=principal.actor if wish.title else "",
    )


def _not_to_choose(records: Records, owner: UserId, conversation_id: ConversationId) -> DomainError:
    """What they are told whose id is taken, or as the server makes them: by their role alone."""
    roles = records.members.assigned_roles(owner, ResourceId(conversation_id))
    if roles is None or roles.effective is Role.NONE:
        return not_found(conversation_id)
    return DomainError(Reason.ALREADY_EXISTS, resource=conversation_id)


def listed_for(records: Records, principal: Principal, wish: ListWish) -> Listed:
    """What the caller may read of what is wished for."""
    reader = principal.user_id if principal.kind == "user" else None
    if not wish.workspace_id:
        return Listed(principal.user_id, wish.workspace_id, wish.shelf, wish.order)
    if reader is not None:
        roles = records.members.assigned_roles(reader, ResourceId(wish.workspace_id))
        if roles is not None and roles.effective in INHERITED:
            reader = None
    return Listed(reader, wish.workspace_id, wish.shelf, wish.order)


def _tell(
    records: Records,
    principal: Principal,
    conversation: Conversation,
    past_tense: Callable[[Conversation], Change],
    *more: Change,
) -> None:
    scope = conversation_scope(conversation.conversation_id)
    add_to_outbox(records, principal, scope, past_tense(conversation), *more)
