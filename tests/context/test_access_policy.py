"""The access policy over the context service: roles as they are now, guests among them."""

from antiphon.auth.v1.access_pb2 import ROLE_ADMIN, ROLE_GUEST, ROLE_MEMBER, ROLE_VIEWER
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon_server.context.access_policy import ContextAccessPolicy
from antiphon_server.runtime.access.permissions import Permission, Role, rule_for
from antiphon_server.runtime.access.policy import Held, enforce
from antiphon_server.runtime.access.principal import ANONYMOUS, Principal, SessionId, UserId
from antiphon_server.runtime.errors import Reason
from tests.context.stand_ins import ANN, BOB, SERVICE
from tests.context.world import World
from tests.e2e.refusals import Refused

OF_ANN, OF_BOB = (Principal("user", UserId(user), SessionId("s")) for user in (ANN, BOB))
OF_SERVICE = Principal("service", UserId("x"), SessionId(""))
READ = rule_for(Permission.READ)
WRITE = rule_for(Permission.WRITE)
MANAGE = rule_for(Permission.MANAGE)


async def test_the_policy_asks_the_context_service(world: World) -> None:
    """Roles count as they are now; refusals carry the contract's metadata."""
    conversation = await world.conversation()
    policy = ContextAccessPolicy(world.client(SERVICE))
    scope = f"conversations/{conversation}"
    with Refused(Reason.NOT_FOUND) as refused:
        enforce(await policy.decide(OF_BOB, READ, scope))
    assert refused.error.metadata == {"resource": scope}
    await world.add(conversation, BOB, ROLE_VIEWER)
    enforce(await policy.decide(OF_BOB, READ, scope))
    with Refused(Reason.PERMISSION_DENIED) as refused:
        enforce(await policy.decide(OF_BOB, WRITE, conversation))
    assert refused.error.metadata == {"permission": "WRITE"}
    update = pb.UpdateMemberRequest(resource=conversation, user_id=BOB, role=ROLE_MEMBER)
    await world.client(ANN).UpdateMember(update)
    enforce(await policy.decide(OF_BOB, WRITE, conversation))
    with Refused(Reason.UNAUTHENTICATED):
        enforce(await policy.decide(ANONYMOUS, READ, "global"))
    enforce(await policy.decide(OF_SERVICE, MANAGE, "conv_unknown0"))


async def test_the_policy_says_where_a_role_comes_from(world: World) -> None:
    """An admin of the workspace is one on its conversations, through the workspace."""
    conversation = await world.conversation()
    policy = ContextAccessPolicy(world.client(SERVICE))
    await world.add("ws_ann00000", BOB, ROLE_ADMIN)
    held = (await policy.decide(OF_BOB, MANAGE, conversation)).question.held
    assert held == Held(Role.ADMIN, "ws_ann00000")
    assert (await policy.decide(OF_ANN, MANAGE, conversation)).question.held == Held(
        Role.OWNER, conversation
    )


async def test_only_a_conversation_has_guests(world: World) -> None:
    """A guest of a workspace is a contradiction, refused when it is made or changed to."""
    await world.conversation()
    client = world.client(ANN)
    add = pb.AddMemberRequest(resource="ws_ann00000", user_id=BOB, role=ROLE_GUEST)
    with Refused(Reason.INVALID_ARGUMENT) as refused:
        await client.AddMember(add)
    assert refused.error.violations[0].field == "role"
    add.role = ROLE_VIEWER
    await client.AddMember(add)
    update = pb.UpdateMemberRequest(resource="ws_ann00000", user_id=BOB, role=ROLE_GUEST)
    with Refused(Reason.INVALID_ARGUMENT):
        await client.UpdateMember(update)


async def test_a_guest_reads_and_posts_in_one_conversation_and_sees_no_more(world: World) -> None:
    """No list has the workspace or another conversation; what else is refused is in the matrix."""
    conversation, other = await world.conversation(), await world.conversation()
    await world.add(conversation, BOB, ROLE_GUEST)
    await world.post(conversation, "hi", BOB)
    guest = world.client(BOB)
    seen = await guest.ListConversations(pb.ListConversationsRequest())
    assert [one.conversation_id for one in seen.conversations] == [conversation]
    assert not (await guest.ListWorkspaces(pb.ListWorkspacesRequest())).workspaces
    with Refused(Reason.NOT_FOUND):
        await guest.GetConversation(pb.GetConversationRequest(conversation_id=other))
