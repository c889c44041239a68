"""The access policy over the context service: roles as they are now, guests among them."""

from typing import Any

import grpc
import pytest

from antiphon.auth.v1.access_pb2 import ROLE_ADMIN, ROLE_GUEST, ROLE_MEMBER, ROLE_VIEWER
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon_server.context.access_policy import ContextAccessPolicy
from antiphon_server.runtime.access.permissions import Permission, Role, rule_for
from antiphon_server.runtime.access.policy import Held, enforce
from antiphon_server.runtime.access.principal import ANONYMOUS, Principal, SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import domain_error_of
from tests.context.stand_ins import ANN, BOB
from tests.context.world import World, parts, texts
from tests.e2e.refusals import Refused

SERVICE = Principal("service", UserId("x"), SessionId(""))
READ = rule_for(Permission.READ)
WRITE = rule_for(Permission.WRITE)
MANAGE = rule_for(Permission.MANAGE)


async def test_the_policy_asks_the_context_service(world: World) -> None:
    """Roles count as they are now; refusals carry the contract's metadata."""
    conversation = await world.conversation()
    metadata = (("authorization", "Bearer service"),)
    policy = ContextAccessPolicy(ContextServiceStub(world.server.channel(lambda: metadata)))
    bob = Principal("user", UserId(BOB), SessionId("s"))
    scope = f"conversations/{conversation}"
    with pytest.raises(DomainError) as refused:
        enforce(await policy.decide(bob, READ, scope))
    assert (refused.value.reason, refused.value.metadata) == (
        Reason.NOT_FOUND,
        {"resource": scope},
    )
    add = pb.AddMemberRequest(resource=conversation, user_id=BOB, role=ROLE_VIEWER)
    await world.client(ANN).AddMember(add)
    enforce(await policy.decide(bob, READ, scope))
    with pytest.raises(DomainError) as refused:
        enforce(await policy.decide(bob, WRITE, conversation))
    assert (refused.value.reason, refused.value.metadata) == (
        Reason.PERMISSION_DENIED,
        {"permission": "WRITE"},
    )
    update = pb.UpdateMemberRequest(resource=conversation, user_id=BOB, role=ROLE_MEMBER)
    await world.client(ANN).UpdateMember(update)
    enforce(await policy.decide(bob, WRITE, conversation))
    with Refused(Reason.UNAUTHENTICATED):
        enforce(await policy.decide(ANONYMOUS, READ, "global"))
    enforce(await policy.decide(SERVICE, MANAGE, "conv_unknown0"))


async def test_the_policy_says_where_a_role_comes_from(world: World) -> None:
    """An admin of the workspace is one on its conversations, through the workspace."""
    conversation = await world.conversation()
    metadata = (("authorization", "Bearer service"),)
    policy = ContextAccessPolicy(ContextServiceStub(world.server.channel(lambda: metadata)))
    ann = Principal("user", UserId(ANN), SessionId("s"))
    bob = Principal("user", UserId(BOB), SessionId("s"))
    add = pb.AddMemberRequest(resource="ws_ann00000", user_id=BOB, role=ROLE_ADMIN)
    await world.client(ANN).AddMember(add)
    held = (await policy.decide(bob, MANAGE, conversation)).question.held
    assert held == Held(Role.ADMIN, "ws_ann00000")
    assert (await policy.decide(ann, MANAGE, conversation)).question.held == Held(
        Role.OWNER, conversation
    )


async def test_only_a_conversation_has_guests(world: World) -> None:
    """A guest of a workspace is a contradiction, refused when it is made or changed to."""
    await world.conversation()
    client = world.client(ANN)
    add = pb.AddMemberRequest(resource="ws_ann00000", user_id=BOB, role=ROLE_GUEST)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.AddMember(add)
    assert domain_error_of(refused.value).violations[0].field == "role"
    add.role = ROLE_VIEWER
    await client.AddMember(add)
    update = pb.UpdateMemberRequest(resource="ws_ann00000", user_id=BOB, role=ROLE_GUEST)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.UpdateMember(update)
    assert domain_error_of(refused.value).reason is Reason.INVALID_ARGUMENT


async def test_a_guest_reads_and_posts_in_one_conversation_and_sees_no_more(world: World) -> None:
    """Not the workspace, not other conversations, not the members; nor may a guest manage."""
    conversation, other = await world.conversation(), await world.conversation()
    add = pb.AddMemberRequest(resource=conversation, user_id=BOB, role=ROLE_GUEST)
    await world.client(ANN).AddMember(add)
    guest = world.client(BOB)
    await guest.GetConversation(pb.GetConversationRequest(conversation_id=conversation))
    await guest.PostMessage(pb.PostMessageRequest(conversation_id=conversation, parts=parts("hi")))
    listed = await guest.ListMessages(pb.ListMessagesRequest(conversation_id=conversation))
    assert texts(listed.messages) == ["hi"]
    seen = await guest.ListConversations(pb.ListConversationsRequest())
    assert [one.conversation_id for one in seen.conversations] == [conversation]
    assert not (await guest.ListWorkspaces(pb.ListWorkspacesRequest())).workspaces
    calls: dict[str, Any] = {
        "members": guest.ListMembers(pb.ListMembersRequest(resource=conversation)),
        "member": guest.GetMember(pb.GetMemberRequest(resource=conversation, user_id=ANN)),
        "archive": guest.ArchiveConversation(
            pb.ArchiveConversationRequest(conversation_id=conversation)
        ),
        "other": guest.GetConversation(pb.GetConversationRequest(conversation_id=other)),
        "workspace": guest.GetWorkspace(pb.GetWorkspaceRequest(workspace_id="ws_ann00000")),
        "new": guest.CreateConversation(pb.CreateConversationRequest(workspace_id="ws_ann00000")),
    }
    refusals = {}
    for name, call in calls.items():
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        refusals[name] = domain_error_of(refused.value).reason.value
    assert refusals == {
        "members": "PERMISSION_DENIED",
        "member": "PERMISSION_DENIED",
        "archive": "PERMISSION_DENIED",
        "other": "NOT_FOUND",
        "workspace": "NOT_FOUND",
        "new": "NOT_FOUND",
    }
