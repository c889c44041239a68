"""Lists of conversations and workspaces come in pages."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from antiphon_server.context.model.listed import Listed, Order, Shelf
from antiphon_server.context.model.resources import (
    Conversation,
    ConversationId,
    Member,
    ResourceId,
    Role,
    WorkspaceId,
)
from antiphon_server.context.ports import Records, Store
from antiphon_server.runtime.access.principal import UserId
from tests.contract.context_store.world import ANN, BOB, LAB, TALK, fill

ALL = WorkspaceId("")
LISTINGS = {
    "by role": Listed(ANN, ALL),
    "as admin": Listed(BOB, ALL),
    "all in": Listed(None, LAB.workspace_id),
    "mine in": Listed(ANN, LAB.workspace_id),
}
EACH = pytest.mark.parametrize("listed", LISTINGS.values(), ids=LISTINGS)


def put(records: Records, made: Sequence[Conversation]) -> None:
    """Conversations of Bob's workspace that Ann was let into."""
    records.workspaces.add(LAB)
    admin = Member(ResourceId(LAB.workspace_id), BOB, Role.ADMIN, 1)
    records.members.add(admin, LAB.create_us)
    for it in made:
        records.conversations.add(it)
        member = Member(ResourceId(it.conversation_id), ANN, Role.VIEWER, 77)
        records.members.add(member, it.create_us, it.activity_us)


async def paged(store: Store, listed: Listed, size: int = 3) -> list[Conversation]:
    """A list, read in pages."""
    seen: list[Conversation] = []
    while True:
        after = listed.place(seen[-1]) if seen else None
        page = await store.read(lambda r, it=after: r.conversations.page(listed, it, size))  # type: ignore[misc]
        if not page:
            return seen
        seen += page


@EACH
async def test_lists_page_through_equal_times(store: Store, listed: Listed) -> None:
    """The newest first; what was made in the same microsecond is told apart by its id."""
    made = [
        replace(TALK, conversation_id=ConversationId(f"conv_{number:08}"), create_us=number // 3)
        for number in range(10)
    ]
    await store.write(lambda r: put(r, made))
    assert await paged(store, listed) == made[::-1]


@EACH
async def test_lists_by_activity_page_through_equal_times(store: Store, listed: Listed) -> None:
    """The last active first; what is noted as active later comes before, what is known stays."""
    made = [
        replace(
            TALK,
            conversation_id=ConversationId(f"conv_{number:08}"),
            create_us=50 - number,
            activity_us=100 + number // 3,
        )
        for number in range(10)
    ]
    by_activity = replace(listed, order=Order.LAST_ACTIVITY)
    await store.write(lambda r: put(r, made))
    assert await paged(store, by_activity) == made[::-1]
    later = {made[2].conversation_id: 500, made[5].conversation_id: 400, made[9].conversation_id: 3}
    await store.write(lambda r: r.conversations.note(later))
    first = [replace(made[2], activity_us=500), replace(made[5], activity_us=400)]
    rest = [it for it in made[::-1] if it not in (made[2], made[5])]
    assert await paged(store, by_activity) == [*first, *rest]
    assert await paged(store, by_activity, 1) == [*first, *rest]


@EACH
async def test_what_older_servers_made_counts_as_active_when_it_was_made(
    store: Store, listed: Listed
) -> None:
    """They know no activity; it is noted for them, and no other is touched."""
    made = [
        replace(TALK, conversation_id=ConversationId(f"conv_{n:08}"), create_us=n, activity_us=n)
        for n in range(1, 5)
    ]
    older = replace(made[3], activity_us=0)

    def work(records: Records) -> None:
        put(records, [*made[:3], older])
        member = Member(ResourceId(older.conversation_id), ANN, Role.VIEWER, 77)
        records.members.remove(member.resource, ANN)
        records.members.add(member, 0, 0)
        records.conversations.note({made[0].conversation_id: 9})

    await store.write(work)
    while await store.write(lambda r: r.conversations.note_missing(1)):
        pass
    by_activity = replace(listed, order=Order.LAST_ACTIVITY)
    expected = [replace(made[0], activity_us=9), made[3], made[2], made[1]]
    assert await paged(store, by_activity) == expected


@EACH
@pytest.mark.parametrize("order", [Order.NEWEST, Order.LAST_ACTIVITY])
async def test_titles_are_those_of_the_list(store: Store, listed: Listed, order: Order) -> None:
    """In its order, with their places; those are found again by their ids."""
    made = [
        replace(
            TALK,
            conversation_id=ConversationId(f"conv_{n:08}"),
            title=f"No. {n}",
            create_us=n,
            activity_us=20 - n,
        )
        for n in range(1, 5)
    ]
    await store.write(lambda r: put(r, made))
    those = replace(listed, order=order)
    expected = await paged(store, those)
    titles = await store.read(lambda r: r.conversations.titles(those, None, 9))
    assert titles == [(those.place(it), it.title) for it in expected]
    behind = await store.read(lambda r: r.conversations.titles(those, titles[0][0], 2))
    assert behind == titles[1:3]
    ids = [place.item_id for place, _ in titles]
    assert await store.read(lambda r: r.conversations.those([*ids, "conv_none0000"])) == expected


async def test_lists_leave_out_what_is_archived(store: Store) -> None:
    """Unless it is asked for."""

    def work(records: Records) -> None:
        fill(records)
        records.conversations.put(replace(TALK, archive_us=1))
        records.workspaces.put(replace(LAB, archive_us=1))

    await store.write(work)
    for archived in (False, True):

        def check(records: Records, archived: bool = archived) -> None:
            for listed in LISTINGS.values():
                for shelf in Shelf:
                    found = records.conversations.page(replace(listed, shelf=shelf), None, 9)
                    assert bool(found) == (shelf is not Shelf.IN_USE)
            workspaces = records.workspaces.list_of(BOB, None, 9, archived=archived)
            assert bool(workspaces) == archived

        await store.read(check)
    ids = await store.read(lambda r: r.conversations.list_ids(None, 9))
    assert ids == [TALK.conversation_id]
    assert await store.read(lambda r: r.conversations.list_ids(ids[-1], 9)) == []


@EACH
async def test_those_of_some_that_are_listed_are_told(store: Store, listed: Listed) -> None:
    """On whatever shelf; what is not listed, or not there, is left out."""
    made = [
        replace(
            TALK, conversation_id=ConversationId(f"conv_{number:08}"), archive_us=number or None
        )
        for number in range(4)
    ]
    others = WorkspaceId("ws_00000009")
    alien = replace(TALK, conversation_id=ConversationId("conv_00000099"), workspace_id=others)

    def work(records: Records) -> None:
        put(records, made)
        records.workspaces.add(replace(LAB, workspace_id=others))
        records.conversations.add(alien)

    await store.write(work)
    asked = [made[1].conversation_id, alien.conversation_id, made[3].conversation_id]
    asked.append(ConversationId("conv_none0000"))
    found = await store.read(lambda r: r.conversations.readable(listed, asked))
    assert sorted(found) == [made[1].conversation_id, made[3].conversation_id]
    assert await store.read(lambda r: r.conversations.readable(listed, [])) == []
    nobody = replace(listed, reader=UserId("user_nobody00"))
    assert await store.read(lambda r: r.conversations.readable(nobody, asked)) == []
