"""Members: who may give and take which role."""

import pytest

from antiphon.auth.v1.access_pb2 import (
    ROLE_ADMIN,
    ROLE_MEMBER,
    ROLE_OWNER,
    ROLE_UNSPECIFIED,
    ROLE_VIEWER,
)
from antiphon.context.v1 import context_service_pb2 as pb
from antiphon_server.context.model.changes import MemberAdded, MemberRemoved, MemberUpdated
from antiphon_server.runtime.errors import Reason
from tests.context.stand_ins import ANN, BOB, CAT, NOBODY, SERVICE, name_of
from tests.context.world import Role, World, pages
from tests.e2e.refusals import Refused


async def update(world: World, resource: str, user: str, role: Role, by: str = ANN) -> None:
    request = pb.UpdateMemberRequest(resource=resource, user_id=user, role=role)
    await world.client(by).UpdateMember(request)


async def role_of(world: World, resource: str, user: str) -> Role:
    request = pb.CheckAccessRequest(resource=resource, user_id=user)
    return (await world.client(SERVICE).CheckAccess(request)).role


@pytest.fixture(params=["conversation", "workspace"])
async def resource(world: World, request: pytest.FixtureRequest) -> str:
    """Something that Ann owns."""
    if request.param == "conversation":
        return await world.conversation()
    return (await world.workspace()).workspace_id


async def test_a_member_comes_and_goes(world: World, resource: str) -> None:
    """Each step counts at once; the resource's log and the user's are told of it in order."""
    assert await role_of(world, resource, BOB) == ROLE_UNSPECIFIED
    await world.add(resource, BOB, ROLE_VIEWER)
    assert await role_of(world, resource, BOB) == ROLE_VIEWER
    found = await world.client(BOB).GetMember(pb.GetMemberRequest(resource=resource, user_id=BOB))
    assert found.member.role == ROLE_VIEWER
    await update(world, resource, BOB, ROLE_MEMBER)
    assert await role_of(world, resource, BOB) == ROLE_MEMBER
    await world.remove(resource, BOB)
    assert await role_of(world, resource, BOB) == ROLE_UNSPECIFIED
    kind = "workspaces" if resource.startswith("ws_") else "conversations"
    for scope in (f"{kind}/{resource}", f"users/{BOB}"):
        told = [entry for entry in world.log.appends if entry.scope == scope]
        changes = [change for entry in told for change in entry.changes][-3:]
        assert [type(it) for it in changes] == [MemberAdded, MemberUpdated, MemberRemoved]


async def test_only_owners_make_and_unmake_owners(world: World, resource: str) -> None:
    """An admin manages everybody below; owners are out of reach."""
    await world.add(resource, BOB, ROLE_ADMIN)
    await world.add(resource, CAT, ROLE_ADMIN, by=BOB)
    for attempt in (
        update(world, resource, CAT, ROLE_OWNER, by=BOB),
        update(world, resource, ANN, ROLE_ADMIN, by=BOB),
        world.remove(resource, ANN, by=BOB),
        world.add(resource, "user_dan00000", ROLE_OWNER, by=BOB),
    ):
        with Refused(Reason.PERMISSION_DENIED):
            await attempt
    await world.remove(resource, CAT, by=BOB)
    await update(world, resource, BOB, ROLE_OWNER)
    await world.remove(resource, ANN, by=BOB)
    assert await role_of(world, resource, BOB) == ROLE_OWNER


async def test_the_last_owner_stays(world: World, resource: str) -> None:
    """Neither removed nor made less, until there is another one."""
    for attempt in (world.remove(resource, ANN), update(world, resource, ANN, ROLE_ADMIN)):
        with Refused(Reason.LAST_OWNER):
            await attempt
    await update(world, resource, ANN, ROLE_OWNER)
    await world.add(resource, BOB, ROLE_OWNER)
    await update(world, resource, ANN, ROLE_MEMBER)
    found = await world.client(ANN).GetMember(pb.GetMemberRequest(resource=resource, user_id=ANN))
    assert found.member.role == ROLE_MEMBER


async def test_members_can_not_manage(world: World, resource: str) -> None:
    """Below ADMIN nothing can be changed; without a role nothing is to be seen."""
    await world.add(resource, BOB, ROLE_MEMBER)
    for by, reason in ((BOB, Reason.PERMISSION_DENIED), (CAT, Reason.NOT_FOUND)):
        for attempt in (
            world.add(resource, CAT, ROLE_VIEWER, by=by),
            update(world, resource, BOB, ROLE_ADMIN, by=by),
            world.remove(resource, BOB, by=by),
        ):
            with Refused(reason):
                await attempt
    with Refused(Reason.NOT_FOUND):
        await world.client(CAT).ListMembers(pb.ListMembersRequest(resource=resource))
    with Refused(Reason.NOT_FOUND):
        await world.client(CAT).GetMember(pb.GetMemberRequest(resource=resource, user_id=ANN))


async def test_who_is_not_there_is_not_found(world: World, resource: str) -> None:
    """A member can't be added twice, nor changed, removed or read when absent."""
    with Refused(Reason.ALREADY_EXISTS):
        await world.add(resource, ANN, ROLE_VIEWER)
    for attempt in (update(world, resource, BOB, ROLE_VIEWER), world.remove(resource, BOB)):
        with Refused(Reason.NOT_FOUND):
            await attempt
    with Refused(Reason.NOT_FOUND):
        await world.client(ANN).GetMember(pb.GetMemberRequest(resource=resource, user_id=BOB))
    unknown = resource[:-4] + "zzzz"
    for user in (ANN, SERVICE):
        with Refused(Reason.NOT_FOUND):
            await world.add(unknown, BOB, ROLE_VIEWER, by=user)


async def test_the_list_has_pages(world: World, resource: str) -> None:
    """Everybody comes once; a token from elsewhere is refused."""
    for number in range(5):
        await world.add(resource, f"user_{number:08}", ROLE_VIEWER)
    request = pb.ListMembersRequest(resource=resource, page_size=2)
    found = await pages(world.client(ANN).ListMembers, request)
    seen = [one.user_id for page in found for one in page.members]
    assert seen == sorted([*(f"user_{number:08}" for number in range(5)), ANN])
    other = await world.conversation()
    await world.add(other, BOB, ROLE_VIEWER)
    first = await world.client(ANN).ListMembers(pb.ListMembersRequest(resource=other, page_size=1))
    foreign = pb.ListMembersRequest(resource=resource, page_token=first.next_page_token)
    with Refused(Reason.PAGE_TOKEN_INVALID):
        await world.client(ANN).ListMembers(foreign)


async def test_members_have_names(world: World, resource: str) -> None:
    """What each is called comes by one question for the whole page; the log is not told."""
    for user in (BOB, CAT):
        await world.add(resource, user, ROLE_VIEWER)
    world.accounts.asked = 0
    page = await world.client(BOB).ListMembers(pb.ListMembersRequest(resource=resource))
    named = {one.user_id: one.display_name for one in page.members}
    assert named == {user: name_of(user) for user in (ANN, BOB, CAT)}
    assert world.accounts.asked == 1
    found = await world.client(BOB).GetMember(pb.GetMemberRequest(resource=resource, user_id=CAT))
    assert found.member.display_name == name_of(CAT)


async def test_without_accounts_members_are_listed_all_the_same(
    world: World, resource: str
) -> None:
    """Their names are empty then."""
    world.accounts.away = True
    page = await world.client(ANN).ListMembers(pb.ListMembersRequest(resource=resource))
    assert [(one.user_id, one.display_name) for one in page.members] == [(ANN, "")]


async def test_workspace_admins_have_their_role_on_conversations(world: World) -> None:
    """Owners and admins inherit, the higher role counts, members and viewers do not inherit."""
    conversation = await world.conversation()
    for held, effective in (
        (ROLE_OWNER, ROLE_OWNER),
        (ROLE_ADMIN, ROLE_ADMIN),
        (ROLE_MEMBER, ROLE_UNSPECIFIED),
        (ROLE_VIEWER, ROLE_UNSPECIFIED),
    ):
        await world.add("ws_ann00000", BOB, held)
        assert await role_of(world, conversation, BOB) == effective
        await world.add(conversation, BOB, ROLE_MEMBER)
        assert await role_of(world, conversation, BOB) == max(effective, ROLE_MEMBER)
        await world.remove("ws_ann00000", BOB)
        assert await role_of(world, conversation, BOB) == ROLE_MEMBER
        await world.remove(conversation, BOB)
        assert await role_of(world, conversation, BOB) == ROLE_UNSPECIFIED


async def test_nothing_that_does_not_exist_gives_a_role(world: World) -> None:
    """CheckAccess answers ROLE_UNSPECIFIED, also after the thing was made by somebody else."""
    assert await role_of(world, "conv_00000001", ANN) == ROLE_UNSPECIFIED
    assert await role_of(world, "ws_ann00000", ANN) == ROLE_UNSPECIFIED
    await world.conversation(conversation_id="conv_00000001")
    assert await role_of(world, "conv_00000001", ANN) == ROLE_OWNER
    assert await role_of(world, "ws_ann00000", ANN) == ROLE_OWNER
    with Refused(Reason.PERMISSION_DENIED):
        request = pb.CheckAccessRequest(resource="conv_00000001", user_id=ANN)
        await world.client(ANN).CheckAccess(request)


async def test_who_does_not_exist_becomes_no_member(world: World, resource: str) -> None:
    """An id without an account gets no role: an owner who is nobody would own it for ever."""
    with Refused(Reason.NOT_FOUND):
        await world.add(resource, NOBODY, ROLE_OWNER)
    assert await role_of(world, resource, NOBODY) == ROLE_UNSPECIFIED
