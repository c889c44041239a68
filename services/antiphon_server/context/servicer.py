"""ContextService: decode, call, encode."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar

from antiphon.auth.v1 import access_pb2
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1 import conversation_pb2
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceServicer
from antiphon_server.context import encoding, window_wire
from antiphon_server.context.model.changes import Repeatable
from antiphon_server.context.model.listed import Order, Shelf
from antiphon_server.context.model.messages import MessageId, Offset
from antiphon_server.context.model.resources import (
    Conversation,
    ConversationId,
    Member,
    ResourceId,
    Role,
    TurnPolicy,
    Workspace,
    WorkspaceId,
    own_workspace_id,
)
from antiphon_server.context.ports import ScreensMessages, Speaking, WatchesMessages
from antiphon_server.context.service.access import owner_of_new
from antiphon_server.context.service.activity import Activities
from antiphon_server.context.service.conversations import (
    Conversations,
    ListWish,
    NewConversation,
)
from antiphon_server.context.service.erasing import Erasing
from antiphon_server.context.service.limits import (
    MAX_INSTRUCTIONS_BYTES,
    MAX_LABEL_BYTES,
    MAX_TITLE,
    ConversationPatch,
)
from antiphon_server.context.service.members import Members
from antiphon_server.context.service.messages import Messages
from antiphon_server.context.service.reading import MAX_READABLE, Reading
from antiphon_server.context.service.role_cache import Roles
from antiphon_server.context.service.workspaces import MAX_NAME, Workspaces
from antiphon_server.runtime.access.principal import (
    Principal,
    SessionId,
    UserId,
    current_principal,
)
from antiphon_server.runtime.encoding.lines import in_one_line
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.field_masks import masked
from antiphon_server.runtime.rpc.paging import page_limit

Wordy = TypeVar("Wordy", pb.CreateConversationRequest, conversation_pb2.Conversation)

_CHANGEABLE = (
    *("title", "turn_policy", "models", "instructions"),
    *("max_output_tokens", "tools", "labels", "language"),
)
_WORDS = frozenset({"title", "instructions", "labels"})


class ContextServicer(ContextServiceServicer):
    """The RPCs of ``antiphon.context.v1.ContextService``."""

    def __init__(
        self,
        workspaces: Workspaces,
        conversations: Conversations,
        members: Members,
        messages: Messages,
        activities: Activities,
        reading: Reading,
        roles: Roles,
        erasing: Erasing | None,
        filters: ScreensMessages | None = None,
        watches: WatchesMessages | None = None,
        erased: Callable[[ConversationId], Awaitable[bool]] | None = None,
    ) -> None:
        self._erased = erased
        self._filters = filters
        self._watches = watches
        self._workspaces = workspaces
        self._conversations = conversations
        self._members = members
        self._messages = messages
        self._activities = activities
        self._reading = reading
        self._roles = roles
        self._erasing = erasing

    async def CreateWorkspace(
        self, request: pb.CreateWorkspaceRequest, context: Any
    ) -> pb.CreateWorkspaceResponse:
        principal, name = current_principal(), in_one_line(request.display_name)
        key = encoding.repeatable(principal, request.request_id, request, Workspace)
        name = await self._left_of_name("", principal.actor, name, key)
        made = await self._workspaces.create(principal, name, key)
        return pb.CreateWorkspaceResponse(workspace=encoding.workspace(made))

    async def GetWorkspace(
        self, request: pb.GetWorkspaceRequest, context: Any
    ) -> pb.GetWorkspaceResponse:
        workspace_id = WorkspaceId(request.workspace_id)
        found = await self._workspaces.get(current_principal(), workspace_id)
        return pb.GetWorkspaceResponse(workspace=encoding.workspace(found))

    async def ListWorkspaces(
        self, request: pb.ListWorkspacesRequest, context: Any
    ) -> pb.ListWorkspacesResponse:
        page = await self._workspaces.list(
            current_principal(),
            page_limit(request.page_size),
            request.page_token,
            archived=request.show_archived,
        )
        return pb.ListWorkspacesResponse(
            workspaces=[encoding.workspace(one) for one in page.items],
            next_page_token=page.next_token,
        )

    async def UpdateWorkspace(
        self, request: pb.UpdateWorkspaceRequest, context: Any
    ) -> pb.UpdateWorkspaceResponse:
        masked(request.update_mask, ("display_name",))
        wish = request.workspace
        workspace_id = WorkspaceId(wish.workspace_id)
        principal, name = current_principal(), in_one_line(wish.display_name)
        key = encoding.repeatable(principal, request.request_id, request, Workspace)
        name = await self._left_of_name(workspace_id, principal.actor, name, key)
        changed = await self._workspaces.update(principal, workspace_id, name, wish.etag, key)
        return pb.UpdateWorkspaceResponse(workspace=encoding.workspace(changed))

    async def _left_of_name(
        self, workspace_id: str, author: str, name: str, key: Repeatable[Workspace] | None
    ) -> str:
        """What filters leave of a workspace's name; the installation's alone of one to be made."""
        if self._filters is None or not self._filters.stand(workspace_id):
            return name
        if await self._workspaces.answered(key) is not None:
            return name
        return (await self._filters.screened_words(workspace_id, author, [(name, MAX_NAME)]))[0]

    async def ArchiveWorkspace(
        self, request: pb.ArchiveWorkspaceRequest, context: Any
    ) -> pb.ArchiveWorkspaceResponse:
        workspace_id = WorkspaceId(request.workspace_id)
        archived = await self._workspaces.archive(current_principal(), workspace_id)
        return pb.ArchiveWorkspaceResponse(workspace=encoding.workspace(archived))

    async def CreateConversation(
        self, request: pb.CreateConversationRequest, context: Any
    ) -> pb.CreateConversationResponse:
        made = await self._made(current_principal(), request)
        return pb.CreateConversationResponse(conversation=encoding.conversation(made))

    async def CreateConversationFor(
        self, request: pb.CreateConversationForRequest, context: Any
    ) -> pb.CreateConversationForResponse:
        owner = Principal("user", UserId(request.user_id), SessionId(""))
        made = await self._made(owner, request.creation)
        return pb.CreateConversationForResponse(conversation=encoding.conversation(made))

    async def _made(
        self, principal: Principal, request: pb.CreateConversationRequest
    ) -> Conversation:
        key = encoding.repeatable(principal, request.request_id, request, Conversation)
        owner, conversation_id = owner_of_new(principal), ConversationId(request.conversation_id)
        workspace_id = request.workspace_id or own_workspace_id(owner)
        speaks = Speaking(principal.actor, principal.session_id, "", workspace_id)
        wait = self._watches.begins(speaks) if self._watches else 0.0
        if wait or self._stand(workspace_id):
            before = await self._conversations.made_before(owner, conversation_id, key)
            if before is not None:
                return before
        if wait:  # else what was to be said there would stand as its title
            raise DomainError(Reason.THROTTLED, retry_after=wait)
        if self._stand(workspace_id):
            request = await self._screened(workspace_id, principal.actor, request)
        return await self._conversations.create(principal, _wish_of(request), key)

    def _stand(self, workspace_id: str) -> bool:
        return self._filters is not None and self._filters.stand(workspace_id)

    async def GetConversation(
        self, request: pb.GetConversationRequest, context: Any
    ) -> pb.GetConversationResponse:
        conversation_id = ConversationId(request.conversation_id)
        found = await self._conversations.get(current_principal(), conversation_id)
        response = pb.GetConversationResponse(
            conversation=encoding.conversation(found), filtered=self._stand(found.workspace_id)
        )
        if found.archive_us and self._erased is not None:
            response.erased = await self._erased(conversation_id)
        if self._watches is not None and request.HasField("speaking"):
            self._hear(self._watches, found, request.speaking, response)
        return response

    def _hear(
        self,
        watches: WatchesMessages,
        where: Conversation,
        it: pb.Speaking,
        response: pb.GetConversationResponse,
    ) -> None:
        """Tell detectors that somebody is about to speak there, as services say."""
        if current_principal().kind != "service":
            return
        response.watched = watches.stand(where.workspace_id)
        said = Speaking(
            it.author,
            it.session_id,
            where.conversation_id,
            where.workspace_id,
            it.fingerprint,
            it.size_bytes,
        )
        if wait := watches.said(said):
            response.throttled.FromNanoseconds(int(wait * 1e9))

    async def ListConversations(
        self, request: pb.ListConversationsRequest, context: Any
    ) -> pb.ListConversationsResponse:
        page = await self._conversations.list(
            current_principal(),
            ListWish(
                WorkspaceId(request.workspace_id),
                _shelf(request),
                Order(request.order),
                request.title_contains,
            ),
            page_limit(request.page_size),
            request.page_token,
        )
        return pb.ListConversationsResponse(
            conversations=[encoding.conversation(one) for one in page.items],
            next_page_token=page.next_token,
        )

    async def UpdateConversation(
        self, request: pb.UpdateConversationRequest, context: Any
    ) -> pb.UpdateConversationResponse:
        wish, paths = request.conversation, masked(request.update_mask, _CHANGEABLE)
        conversation_id = ConversationId(wish.conversation_id)
        principal = current_principal()
        key = encoding.repeatable(principal, request.request_id, request, Conversation)
        if self._filters is not None and not _WORDS.isdisjoint(paths):
            found = await self._conversations.get(principal, conversation_id)
            if await self._conversations.answered(key) is None:
                wish = await self._screened(found.workspace_id, principal.actor, wish)
        changed = await self._conversations.update(
            principal, conversation_id, _patch(wish, paths), wish.etag, key
        )
        return pb.UpdateConversationResponse(conversation=encoding.conversation(changed))

    async def _screened(self, workspace_id: str, author: str, said: Wordy) -> Wordy:
        """What filters leave of a conversation's words: models read them, and people's lists."""
        if self._filters is None or not self._filters.stand(workspace_id):
            return said
        keys: list[str] = sorted(said.labels)
        words = [(said.title, MAX_TITLE), (said.instructions, MAX_INSTRUCTIONS_BYTES)]
        words += [(said.labels[key], MAX_LABEL_BYTES) for key in keys]
        words += [("".join(f"\n{key}" for key in keys), 0)] if keys else []
        left = await self._filters.screened_words(workspace_id, author, words)
        new = type(said)()
        new.CopyFrom(said)
        new.title, new.instructions = left[:2]
        new.labels.update(zip(keys, left[2:], strict=False))
        return new

    async def ArchiveConversation(
        self, request: pb.ArchiveConversationRequest, context: Any
    ) -> pb.ArchiveConversationResponse:
        conversation_id = ConversationId(request.conversation_id)
        archived = await self._conversations.archive(current_principal(), conversation_id)
        return pb.ArchiveConversationResponse(conversation=encoding.conversation(archived))

    async def UnarchiveConversation(
        self, request: pb.UnarchiveConversationRequest, context: Any
    ) -> pb.UnarchiveConversationResponse:
        conversation_id = ConversationId(request.conversation_id)
        in_use = await self._conversations.unarchive(current_principal(), conversation_id)
        return pb.UnarchiveConversationResponse(conversation=encoding.conversation(in_use))

    async def RecordActivity(
        self, request: pb.RecordActivityRequest, context: Any
    ) -> pb.RecordActivityResponse:
        times = {
            ConversationId(it.conversation_id): encoding.microseconds(it.time)
            for it in sorted(request.activities, key=lambda it: it.time.ToNanoseconds())
        }  # of several of one conversation the latest
        await self._activities.record(times)
        return pb.RecordActivityResponse()

    async def AddMember(self, request: pb.AddMemberRequest, context: Any) -> pb.AddMemberResponse:
        principal, (resource, user_id, role) = current_principal(), _membership(request)
        key = encoding.repeatable(principal, request.request_id, request, Member)
        added = await self._members.add(principal, resource, user_id, role, key)
        return pb.AddMemberResponse(member=await self._named(added))

    async def GetMember(self, request: pb.GetMemberRequest, context: Any) -> pb.GetMemberResponse:
        resource, user_id = ResourceId(request.resource), UserId(request.user_id)
        found = await self._members.get(current_principal(), resource, user_id)
        return pb.GetMemberResponse(member=await self._named(found))

    async def ListMembers(
        self, request: pb.ListMembersRequest, context: Any
    ) -> pb.ListMembersResponse:
        page = await self._members.list(
            current_principal(),
            ResourceId(request.resource),
            page_limit(request.page_size),
            request.page_token,
        )
        names = await self._members.names_of(page.items)
        return pb.ListMembersResponse(
            members=[encoding.member(one, names.get(one.user_id, "")) for one in page.items],
            next_page_token=page.next_token,
        )

    async def UpdateMember(
        self, request: pb.UpdateMemberRequest, context: Any
    ) -> pb.UpdateMemberResponse:
        principal, (resource, user_id, role) = current_principal(), _membership(request)
        key = encoding.repeatable(principal, request.request_id, request, Member)
        changed = await self._members.update(principal, resource, user_id, role, key)
        return pb.UpdateMemberResponse(member=await self._named(changed))

    async def _named(self, member: Member) -> conversation_pb2.Member:
        names = await self._members.names_of([member])
        return encoding.member(member, names.get(member.user_id, ""))

    async def RemoveMember(
        self, request: pb.RemoveMemberRequest, context: Any
    ) -> pb.RemoveMemberResponse:
        principal = current_principal()
        resource, user_id = ResourceId(request.resource), UserId(request.user_id)
        key = encoding.repeatable(principal, request.request_id, request, Member)
        await self._members.remove(principal, resource, user_id, key)
        return pb.RemoveMemberResponse()

    async def PostMessage(
        self, request: pb.PostMessageRequest, context: Any
    ) -> pb.PostMessageResponse:
        posted = await self._messages.post(
            current_principal(),
            ConversationId(request.conversation_id),
            encoding.content_of(request),
            request.request_id,
        )
        return pb.PostMessageResponse(message=encoding.message(posted))

    async def EraseMessages(
        self, request: pb.EraseMessagesRequest, context: Any
    ) -> pb.EraseMessagesResponse:
        if self._erasing is None:
            raise DomainError(Reason.UNIMPLEMENTED)
        erased = await self._erasing.erase(
            current_principal(),
            ConversationId(request.conversation_id),
            [MessageId(it) for it in request.message_ids],
            answers=request.answers,
        )
        return pb.EraseMessagesResponse(message_ids=erased)

    async def ListMessages(
        self, request: pb.ListMessagesRequest, context: Any
    ) -> pb.ListMessagesResponse:
        page = await self._messages.list(
            current_principal(),
            ConversationId(request.conversation_id),
            page_limit(request.page_size),
            request.page_token,
        )
        return pb.ListMessagesResponse(
            messages=[encoding.message(one) for one in page.items],
            next_page_token=page.next_token,
        )

    async def GetContext(  # type: ignore[override] # hot answers are bytes
        self, request: pb.GetContextRequest, context: Any
    ) -> bytes:
        window = await self._messages.window(
            current_principal(),
            ConversationId(request.conversation_id),
            request.max_tokens,
            Offset(request.up_to_offset),
            MessageId(request.message_id),
        )
        return window_wire.window(window)

    async def ListReadable(
        self, request: pb.ListReadableRequest, context: Any
    ) -> pb.ListReadableResponse:
        found = await self._reading.readable(
            UserId(request.user_id),
            WorkspaceId(request.workspace_id),
            [ConversationId(it) for it in request.conversation_ids],
            request.limit or MAX_READABLE,
        )
        return pb.ListReadableResponse(
            conversation_ids=found.conversation_ids,
            more=found.more,
            guest_conversation_ids=found.as_guest,
            workspace_ids=found.workspace_ids,
        )

    async def GetMessages(
        self, request: pb.GetMessagesRequest, context: Any
    ) -> pb.GetMessagesResponse:
        names = [
            (ConversationId(it.conversation_id), MessageId(it.message_id))
            for it in request.messages
        ]
        found, titles = await self._reading.messages(names, in_context=request.in_context)
        shown: dict[str, str] = dict(titles.items())
        return pb.GetMessagesResponse(messages=map(encoding.message, found), titles=shown)

    async def CheckAccess(
        self, request: pb.CheckAccessRequest, context: Any
    ) -> pb.CheckAccessResponse:
        user_id, resource = UserId(request.user_id), ResourceId(request.resource)
        held = await self._roles.held(user_id, resource)
        role = access_pb2.Role.ValueType(held.role.value)
        return pb.CheckAccessResponse(role=role, granted_on=held.granted_on)


def _wish_of(request: pb.CreateConversationRequest) -> NewConversation:
    return NewConversation(
        ConversationId(request.conversation_id),
        WorkspaceId(request.workspace_id),
        in_one_line(request.title),
        TurnPolicy(request.turn_policy),
        tuple(map(in_one_line, request.models)),
        request.instructions,
        request.max_output_tokens,
        tuple(request.tools),
        encoding.labels_of(request.labels),
        request.language,
    )


def _shelf(request: pb.ListConversationsRequest) -> Shelf:
    if request.only_archived:
        return Shelf.ARCHIVED
    return Shelf.ALL if request.show_archived else Shelf.IN_USE


def _membership(
    request: pb.AddMemberRequest | pb.UpdateMemberRequest,
) -> tuple[ResourceId, UserId, Role]:
    return ResourceId(request.resource), UserId(request.user_id), Role(request.role)


def _patch(wish: conversation_pb2.Conversation, paths: Collection[str]) -> ConversationPatch:
    return ConversationPatch(
        title=in_one_line(wish.title) if "title" in paths else None,
        turn_policy=(encoding.turn_policy_of(wish.turn_policy) if "turn_policy" in paths else None),
        models=tuple(map(in_one_line, wish.models)) if "models" in paths else None,
        instructions=wish.instructions if "instructions" in paths else None,
        max_output_tokens=wish.max_output_tokens if "max_output_tokens" in paths else None,
        tools=tuple(wish.tools) if "tools" in paths else None,
        labels=encoding.labels_of(wish.labels) if "labels" in paths else None,
        language=wish.language if "language" in paths else None,
    )
