"""Conversations: made, found, changed, put away."""

import asyncio
import uuid

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from antiphon.auth.v1 import access_pb2
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1 import conversation_pb2
from antiphon_server.context.model.changes import ConversationCreated, MemberAdded
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import Reason
from tests.context.stand_ins import ANN, BOB, CAT, SERVICE
from tests.context.world import World, pages
from tests.e2e.refusals import Refused

CONVERSATION = "conv_00000001"


async def listed(world: World, user: str, **fields: object) -> list[str]:
    request = pb.ListConversationsRequest(**fields)  # type: ignore[arg-type]
    found = await world.client(user).ListConversations(request)
    return [one.title for one in found.conversations]


async def test_a_conversation_is_the_makers(world: World) -> None:
    """It is in the maker's own workspace, has the default policy, and others don't see it."""
    conversation_id = await world.conversation(title="T")
    request = pb.GetConversationRequest(conversation_id=conversation_id)
    found = (await world.client(ANN).GetConversation(request)).conversation
    assert (found.title, found.turn_policy) == ("T", conversation_pb2.TURN_POLICY_QUEUE)
    assert found.workspace_id == "ws_ann00000"
    for user, asked in ((BOB, conversation_id), (ANN, "conv_unknown0"), (SERVICE, "conv_unknown0")):
        with Refused(Reason.NOT_FOUND):
            await world.client(user).GetConversation(
                pb.GetConversationRequest(conversation_id=asked)
            )


async def test_names_hold_no_control_characters(world: World) -> None:
    """What people are shown in lists begins no line of its own, and commands no terminal."""
    client, evil, plain = world.client(ANN), "a\x1b]0;b\x07\n\x9bc", "a ]0;b   c"
    made = await client.CreateConversation(pb.CreateConversationRequest(title=evil, models=[evil]))
    conversation = made.conversation
    assert (conversation.title, list(conversation.models)) == (plain, [plain])
    conversation.title = f"{evil}2"
    mask = FieldMask(paths=["title"])
    changed = await client.UpdateConversation(
        pb.UpdateConversationRequest(conversation=conversation, update_mask=mask)
    )
    assert changed.conversation.title == f"{plain}2"
    workspace = await client.CreateWorkspace(pb.CreateWorkspaceRequest(display_name=evil))
    assert workspace.workspace.display_name == plain


async def test_the_log_is_told_in_order(world: World) -> None:
    """The first thing in a conversation's log is that it was created, by whom, and for whom."""
    conversation_id = await world.conversation()
    (entry,) = [it for it in world.log.appends if it.scope == f"conversations/{conversation_id}"]
    assert [type(change) for change in entry.changes] == [ConversationCreated, MemberAdded]
    assert entry.actor == f"users/{ANN}"


async def test_fifty_first_uses_make_one_workspace(world: World) -> None:
    """Whoever comes first makes the default workspace; all conversations are in it."""
    await asyncio.gather(*(world.conversation(title=str(it)) for it in range(50)))
    found = await world.client(ANN).ListWorkspaces(pb.ListWorkspacesRequest())
    assert [one.workspace_id for one in found.workspaces] == ["ws_ann00000"]
    assert len(await listed(world, ANN, page_size=200)) == 50
    members = await world.client(ANN).ListMembers(pb.ListMembersRequest(resource="ws_ann00000"))
    assert [one.role for one in members.members] == [access_pb2.ROLE_OWNER]


async def test_the_client_may_choose_the_id(world: World) -> None:
    """The same request gets the same answer; the same id otherwise exists already."""
    request = pb.CreateConversationRequest(
        conversation_id=CONVERSATION, title="T", request_id=str(uuid.uuid4())
    )
    first = await world.client(ANN).CreateConversation(request)
    assert await world.client(ANN).CreateConversation(request) == first
    with Refused(Reason.ALREADY_EXISTS):
        await world.conversation(conversation_id=CONVERSATION, title="T")
    with Refused(Reason.NOT_FOUND):
        await world.client(BOB).CreateConversation(request)
    with Refused(Reason.REQUEST_ID_REUSED):
        request.title = "U"
        await world.client(ANN).CreateConversation(request)


async def test_choosing_an_id_tells_a_stranger_of_no_conversation(world: World) -> None:
    """An id as the server makes them is refused alike, be there such a conversation or not.

    So is one that somebody else was first to choose. Whoever has a role there knows it anyway.
    """
    made = await world.conversation()
    chosen = await world.conversation(conversation_id=CONVERSATION)
    for asked in (made, new_id("conv"), chosen):
        with Refused(Reason.NOT_FOUND) as refused:
            await world.conversation(BOB, conversation_id=asked)
        assert refused.error.metadata == {"resource": asked}
        with Refused(Reason.NOT_FOUND) as unknown:
            await world.client(BOB).GetConversation(
                pb.GetConversationRequest(conversation_id=asked)
            )
        assert unknown.error.metadata == refused.error.metadata
    for asked in (made, chosen):
        await world.add(asked, BOB, access_pb2.ROLE_GUEST)
        with Refused(Reason.ALREADY_EXISTS):
            await world.conversation(BOB, conversation_id=asked)
    assert await world.conversation(BOB, conversation_id=f"conv_{uuid.uuid4().hex[:26]}")


async def test_a_refused_conversation_leaves_nothing(world: World) -> None:
    """What was refused made no workspace and told the log nothing."""
    await world.conversation(conversation_id=CONVERSATION)
    appends = len(world.log.appends)
    with Refused(Reason.NOT_FOUND):
        await world.conversation(BOB, conversation_id=CONVERSATION)
    found = await world.client(BOB).ListWorkspaces(pb.ListWorkspacesRequest())
    assert not found.workspaces
    assert len(world.log.appends) == appends


async def test_twenty_requests_at_once_make_one_conversation(world: World) -> None:
    """The same request many times at once gets one answer."""
    request = pb.CreateConversationRequest(title="T", request_id=str(uuid.uuid4()))
    answers = await asyncio.gather(
        *(world.client(ANN).CreateConversation(request) for _ in range(20))
    )
    assert len({answer.conversation.conversation_id for answer in answers}) == 1
    assert await listed(world, ANN) == ["T"]


async def test_a_foreign_workspace_is_not_found(world: World) -> None:
    """Neither one that exists nor one that does not; a viewer is told that it may not."""
    await world.conversation()
    for workspace_id in ("ws_ann00000", "ws_unknown0"):
        with Refused(Reason.NOT_FOUND):
            await world.conversation(BOB, workspace_id=workspace_id)
        assert await listed(world, BOB, workspace_id=workspace_id) == []
    await world.add("ws_ann00000", BOB, access_pb2.ROLE_VIEWER)
    with Refused(Reason.PERMISSION_DENIED):
        await world.conversation(BOB, workspace_id="ws_ann00000")


async def test_the_list_is_what_one_may_read(world: World) -> None:
    """By a role of one's own or as an admin of the workspace, each once, the newest first."""
    first = await world.conversation(title="1")
    await world.conversation(title="2")
    await world.conversation(BOB, title="3")
    third = await world.conversation(title="4")
    await world.add(first, BOB, access_pb2.ROLE_VIEWER)
    assert await listed(world, ANN) == ["4", "2", "1"]
    assert await listed(world, BOB) == ["3", "1"]
    assert await listed(world, BOB, workspace_id="ws_ann00000") == ["1"]
    await world.add("ws_ann00000", CAT, access_pb2.ROLE_MEMBER)
    assert await listed(world, CAT) == []
    await world.add("ws_ann00000", BOB, access_pb2.ROLE_ADMIN)
    assert await listed(world, BOB) == ["4", "3", "2", "1"]
    assert await listed(world, BOB, workspace_id="ws_ann00000") == ["4", "2", "1"]
    assert await listed(world, SERVICE, workspace_id="ws_ann00000") == ["4", "2", "1"]
    archive = pb.ArchiveConversationRequest(conversation_id=third)
    await world.client(ANN).ArchiveConversation(archive)
    assert await listed(world, BOB) == ["3", "2", "1"]
    assert await listed(world, BOB, show_archived=True) == ["4", "3", "2", "1"]


async def test_a_page_of_long_instructions_is_shorter(world: World) -> None:
    """However many are asked for, a page fits a message; none is left out."""
    for _ in range(40):
        await world.conversation(instructions="\u20ac" * 10_922)
    request = pb.ListConversationsRequest(page_size=200)
    found = await pages(world.client(ANN).ListConversations, request)
    assert [len(page.conversations) for page in found] == [32, 8]


async def test_pages_follow_one_another(world: World) -> None:
    """Whatever the page size, every conversation comes once, in order."""
    titles = [str(number) for number in range(9)]
    for number, title in enumerate(titles):
        made = await world.conversation((ANN, BOB)[number % 2], title=title)
        if number % 2:
            await world.add(made, ANN, access_pb2.ROLE_VIEWER, by=BOB)
    for size in (1, 2, 4, 9, 10):
        request = pb.ListConversationsRequest(page_size=size)
        found = await pages(world.client(ANN).ListConversations, request)
        assert [one.title for page in found for one in page.conversations] == titles[::-1]


async def test_an_update_changes_what_the_mask_names(world: World) -> None:
    """Fields outside the mask stay; an old etag and no id are refused; UNSPECIFIED means QUEUE."""
    conversation_id = await world.conversation(title="T", instructions="I")
    wish = conversation_pb2.Conversation(
        conversation_id=conversation_id,
        title="U",
        turn_policy=conversation_pb2.TURN_POLICY_REJECT,
        models=["a/b", "c/d"],
    )
    request = pb.UpdateConversationRequest(
        conversation=wish, update_mask=FieldMask(paths=["turn_policy", "models"])
    )
    changed = (await world.client(ANN).UpdateConversation(request)).conversation
    assert (changed.title, changed.instructions) == ("T", "I")
    assert changed.turn_policy == conversation_pb2.TURN_POLICY_REJECT
    assert list(changed.models) == ["a/b", "c/d"]
    request.conversation.etag = "v1"
    with Refused(Reason.ETAG_MISMATCH):
        await world.client(ANN).UpdateConversation(request)
    request.conversation.etag = changed.etag
    request.conversation.turn_policy = conversation_pb2.TURN_POLICY_UNSPECIFIED
    changed = (await world.client(ANN).UpdateConversation(request)).conversation
    assert changed.turn_policy == conversation_pb2.TURN_POLICY_QUEUE
    request.conversation.conversation_id = ""
    with Refused(Reason.NOT_FOUND):
        await world.client(ANN).UpdateConversation(request)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("title", {"title": "x" * 257}),
        ("models", {"models": ["m"] * 9}),
        ("models", {"models": [""]}),
        ("models", {"models": ["m" * 129]}),
        ("instructions", {"instructions": "ä" * 16385}),
        ("turn_policy", {"turn_policy": 77}),
        ("turn_policy", {"turn_policy": -1}),
        ("workspace_id", {"workspace_id": "ws_other0000"}),
        ("create_time", {}),
    ],
)
async def test_what_can_not_be_created_can_not_be_changed_to(
    world: World, path: str, fields: dict[str, str]
) -> None:
    """Limits and fixed fields hold in updates as well."""
    conversation_id = await world.conversation()
    wish = conversation_pb2.Conversation(conversation_id=conversation_id, **fields)  # type: ignore[arg-type]
    request = pb.UpdateConversationRequest(conversation=wish, update_mask=FieldMask(paths=[path]))
    with Refused(Reason.INVALID_ARGUMENT):
        await world.client(ANN).UpdateConversation(request)


async def test_archiving_twice_is_no_error(world: World) -> None:
    """The second time changes nothing and tells the log nothing."""
    request = pb.ArchiveConversationRequest(conversation_id=await world.conversation())
    first = await world.client(ANN).ArchiveConversation(request)
    appends = len(world.log.appends)
    assert await world.client(ANN).ArchiveConversation(request) == first
    assert len(world.log.appends) == appends
