"""Workspaces, conversations and their members are kept whole, or not at all."""

from dataclasses import replace

import pytest

from antiphon_server.context.model.changes import (
    Answer,
    MemberAdded,
    OutboxEntry,
    RequestKey,
    Scope,
)
from antiphon_server.context.model.messages import Totals
from antiphon_server.context.model.resources import (
    AssignedRoles,
    ConversationId,
    Member,
    ResourceId,
    Role,
    TurnPolicy,
    WorkspaceId,
)
from antiphon_server.context.model.role_changes import RoleChange
from antiphon_server.context.ports import Records, Store
from antiphon_server.runtime.access.principal import SessionId, UserId
from tests.contract.context_store.world import ANN, BOB, LAB, OWNER, TALK, fill, said


async def test_resources_are_read_back_whole(store: Store) -> None:
    """Every field survives; an id can be taken once; a change replaces all that can change."""
    await store.write(fill)
    assert await store.read(lambda r: r.workspaces.get(LAB.workspace_id)) == LAB
    assert await store.read(lambda r: r.conversations.get(TALK.conversation_id)) == TALK
    assert not await store.write(lambda r: r.workspaces.add(replace(LAB, display_name="x")))
    assert not await store.write(lambda r: r.conversations.add(replace(TALK, title="x")))
    lab = replace(LAB, display_name="Other", archive_us=5, version=2)
    talk = replace(
        TALK,
        title="",
        turn_policy=TurnPolicy.QUEUE,
        models=(),
        instructions="",
        archive_us=7,
        version=9,
        labels=(("b", ""),),
        language="de",
    )
    await store.write(lambda r: r.workspaces.put(lab))
    await store.write(lambda r: r.conversations.put(talk))
    assert await store.read(lambda r: r.workspaces.get(LAB.workspace_id)) == lab
    assert await store.read(lambda r: r.conversations.get(TALK.conversation_id)) == talk
    assert await store.read(lambda r: r.workspaces.get(WorkspaceId("ws_none0000"))) is None


async def test_an_id_that_is_taken_undoes_nothing_else(store: Store) -> None:
    """What the transaction did before stays."""
    await store.write(fill)

    def work(records: Records) -> bool:
        records.members.put(replace(OWNER, role=Role.ADMIN))
        return records.conversations.add(TALK)

    assert not await store.write(work)
    found = await store.read(lambda r: r.members.get(OWNER.resource, ANN))
    assert found == replace(OWNER, role=Role.ADMIN)


async def test_what_raises_changes_nothing(store: Store) -> None:
    """Additions, changes and removals are undone, whatever they are of."""
    await store.write(fill)
    await store.write(lambda r: r.messages.add([said(1)]))
    entry = OutboxEntry("out_1", Scope("workspaces/ws_00000001"), "users/x", (MemberAdded(OWNER),))
    change = RoleChange(
        "out_2", "users/x", SessionId(""), "local", OWNER.resource, ANN, Role.NONE, OWNER.role
    )

    def work(records: Records) -> None:
        records.workspaces.put(replace(LAB, version=5))
        records.members.remove(OWNER.resource, ANN)
        records.members.add(replace(OWNER, user_id=BOB), 1)
        records.messages.add([said(2)])
        records.messages.set_cursor(TALK.conversation_id, "c")
        records.outbox.add(entry)
        records.audit_outbox.add(change)
        records.requests.add(RequestKey("a", "r", b"d"), Answer("workspace", b"a"), 1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.write(work)

    def check(records: Records) -> None:
        assert records.workspaces.get(LAB.workspace_id) == LAB
        assert records.members.list_of(OWNER.resource, None, 9) == [OWNER]
        assert records.messages.totals(TALK.conversation_id, None) == Totals(1, 5)
        assert records.messages.cursor(TALK.conversation_id) == ""
        assert records.outbox.first(9) == []
        assert records.audit_outbox.first(9) == []
        assert records.requests.find("a", "r") is None

    await store.read(check)


async def test_standing_tells_both_roles(store: Store) -> None:
    """The direct one and the workspace's, alone and with the conversation; else nothing."""
    await store.write(fill)
    talk, lab = OWNER.resource, ResourceId(LAB.workspace_id)
    expected = {
        (ANN, talk): AssignedRoles(LAB.workspace_id, Role.OWNER, Role.NONE),
        (BOB, talk): AssignedRoles(LAB.workspace_id, Role.NONE, Role.ADMIN),
        (ANN, lab): AssignedRoles(LAB.workspace_id, Role.NONE, Role.NONE),
        (BOB, lab): AssignedRoles(LAB.workspace_id, Role.ADMIN, Role.ADMIN),
        (ANN, ResourceId("conv_none0000")): None,
        (ANN, ResourceId("ws_none0000")): None,
    }

    def check(records: Records) -> None:
        for (user, resource), roles in expected.items():
            assert records.members.assigned_roles(user, resource) == roles
            if resource.startswith("conv_"):
                at_once = (TALK, roles) if roles else None
                assert records.members.seen(user, ConversationId(resource)) == at_once

    await store.read(check)


async def test_members_come_in_pages(store: Store) -> None:
    """In the order of their ids; owners are counted by their direct role."""
    await store.write(fill)
    users = [UserId(f"user_{number:08}") for number in range(5)]

    def work(records: Records) -> None:
        for user in users:
            records.members.lock(OWNER.resource)
            records.members.add(Member(OWNER.resource, user, Role.OWNER, 3), TALK.create_us)
        records.members.remove(OWNER.resource, users[4])
        records.members.remove(OWNER.resource, UserId("user_nobody00"))

    await store.write(work)
    assert await store.read(lambda r: r.members.count_owners(OWNER.resource)) == 5
    page = await store.read(lambda r: r.members.list_of(OWNER.resource, users[0], 2))
    assert [it.user_id for it in page] == users[1:3]
    page = await store.read(lambda r: r.members.list_of(OWNER.resource, users[3], 9))
    assert page == [OWNER]


async def test_readers_are_members_and_who_has_the_workspace(store: Store) -> None:
    """Each once, by pages; a workspace's readers are all of its members."""
    lab = ResourceId(LAB.workspace_id)
    cat, dan = UserId("user_cat00000"), UserId("user_dan00000")

    def work(records: Records) -> None:
        fill(records)
        records.members.add(Member(lab, cat, Role.MEMBER, 1), 1)
        records.members.add(Member(lab, dan, Role.OWNER, 1), 1)
        records.members.add(Member(OWNER.resource, dan, Role.GUEST, 1), 1)

    await store.write(work)
    everybody = UserId("")
    assert await store.read(lambda r: r.members.readers(OWNER.resource, everybody, 9)) == [
        ANN,
        BOB,
        dan,
    ]
    assert await store.read(lambda r: r.members.readers(OWNER.resource, ANN, 1)) == [BOB]
    assert await store.read(lambda r: r.members.readers(OWNER.resource, dan, 1)) == []
    assert await store.read(lambda r: r.members.readers(lab, everybody, 9)) == [BOB, cat, dan]


async def test_guests_are_told_where_they_are_nothing_more(store: Store) -> None:
    """One who has the workspace's word is no guest in it; a plain member of it is."""
    cat, dan, eve = (UserId(f"user_{it}00000") for it in ("cat", "dan", "eve"))
    lab = ResourceId(LAB.workspace_id)

    def work(records: Records) -> None:
        fill(records)
        for user, role in ((dan, Role.ADMIN), (eve, Role.MEMBER)):
            records.members.add(Member(lab, user, role, 1), 1)
        for user in (BOB, cat, dan, eve):
            records.members.add(Member(OWNER.resource, user, Role.GUEST, 1), 1)

    await store.write(work)
    found = {
        it: await store.read(lambda r, it=it: r.members.guest_in(it))  # type: ignore[misc]
        for it in (ANN, BOB, cat, dan, eve)
    }
    here = [TALK.conversation_id]
    assert found == {ANN: [], BOB: [], cat: here, dan: [], eve: here}
