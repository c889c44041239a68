"""The rules of conversations."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from antiphon_server.context.model.changes import (
    Change,
    ConversationArchived,
    ConversationCreated,
    ConversationUpdated,
    MemberAdded,
    Repeatable,
    conversation_scope,
)
from antiphon_server.context.model.resources import (
    Conversation,
    ConversationId,
    Member,
    Position,
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
from antiphon_server.context.service.workspaces import own_workspace
from antiphon_server.runtime.access.permissions import INHERITED, Permission
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.encoding.ids import new_id
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

        Raises DomainError ALREADY_EXISTS, REQUEST_ID_REUSED, NOT_FOUND (the workspace),
        INVALID_ARGUMENT (the workspace is archived).
        """
        owner, now = owner_of_new(principal), int(self._clock() * 1e6)

        def work(records: Records) -> Conversation:
            before = answered(records, request)
            if before is not None:
                return before
            workspace_id = wish.workspace_id or own_workspace(records, principal, owner, now)
            conversation = _new(_open(records, principal, workspace_id), wish, now)
            first = answered_first(records, request, conversation, now)
            if first is not conversation:
                return first
            if not records.conversations.add(conversation):
                raise DomainError(Reason.ALREADY_EXISTS, resource=conversation.conversation_id)
            member = Member(ResourceId(conversation.conversation_id), owner, Role.OWNER, now)
            records.members.add(member, now)
            _tell(records, principal, conversation, ConversationCreated, MemberAdded(member))
            return conversation

        return await self._changes.make(work, of_user=owner)

    async def get(self, principal: Principal, conversation_id: ConversationId) -> Conversation:
        """One conversation. Raises DomainError NOT_FOUND."""
        return await self._directory.find(principal, conversation_id, Permission.READ)

    async def list(
        self,
        principal: Principal,
        workspace_id: WorkspaceId,
        limit: int,
        token: str,
        *,
        archived: bool,
    ) -> Page[Conversation]:
        """Those that the caller may read, the newest first; of one workspace or (empty) of all.

        A workspace that does not exist has none. Raises DomainError PAGE_TOKEN_INVALID.
        """
        listed = f"conversations of {principal.user_id} {workspace_id} {archived}"
        after, user_id = position(token, listed), principal.user_id

        def work(records: Records) -> list[Conversation]:
            if not workspace_id:
                return records.conversations.list_of(user_id, after, limit + 1, archived=archived)
            roles = records.members.assigned_roles(user_id, ResourceId(workspace_id))
            manages = roles is not None and roles.effective in INHERITED
            sees_all = manages or principal.kind == "service"
            return records.conversations.list_in(
                workspace_id, None if sees_all else user_id, after, limit + 1, archived=archived
            )

        found = await self._store.read(work)
        return page_of(
            listed,
            found,
            limit,
            lambda it: Position(it.create_us, it.conversation_id),
            lambda it: len(it.instructions.encode()),
        )

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
            return patch.apply(conversation)

        return await self._change(principal, conversation_id, change, ConversationUpdated, request)

    async def archive(self, principal: Principal, conversation_id: ConversationId) -> Conversation:
        """Take it out of use, if it is not already. Raises DomainError NOT_FOUND."""
        now = int(self._clock() * 1e6)

        def change(conversation: Conversation) -> Conversation:
            return (
                conversation if conversation.archive_us else replace(conversation, archive_us=now)
            )

        return await self._change(principal, conversation_id, change, ConversationArchived)

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
    """A workspace that the caller may write in and that is in use."""
    require(records, principal, workspace_id, Permission.WRITE)
    workspace = records.workspaces.get(workspace_id)
    if workspace is None:
        raise not_found(workspace_id)
    if workspace.archive_us:
        raise invalid("workspace_id", "the workspace is archived")
    return workspace_id


def _new(workspace_id: WorkspaceId, wish: NewConversation, now: int) -> Conversation:
    return Conversation(
        wish.conversation_id or ConversationId(new_id("conv")),
        workspace_id,
        wish.title,
        wish.turn_policy or TurnPolicy.QUEUE,
        wish.models,
        wish.instructions,
        now,
        max_output_tokens=wish.max_output_tokens,
    )


def _tell(
    records: Records,
    principal: Principal,
    conversation: Conversation,
    past_tense: Callable[[Conversation], Change],
    *more: Change,
) -> None:
    scope = conversation_scope(conversation.conversation_id)
    add_to_outbox(records, principal, scope, past_tense(conversation), *more)
