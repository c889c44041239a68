"""Lists of conversations and workspaces come in pages."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from antiphon_server.context.model.resources import (
    Conversation,
    ConversationId,
    Member,
    Position,
    ResourceId,
    Role,
)
from antiphon_server.context.ports import Records, Store
from tests.contract.context_store.world import ANN, BOB, LAB, TALK, fill

Listing = Callable[[Records, Position | None, int], list[Conversation]]
LISTINGS: dict[str, Listing] = {
    "by role": lambda r, after, n: r.conversations.list_of(ANN, after, n, archived=True),
    "as admin": lambda r, after, n: r.conversations.list_of(BOB, after, n, archived=True),
    "all in": lambda r, after, n: r.conversations.list_in(
        LAB.workspace_id, None, after, n, archived=True
    ),
    "mine in": lambda r, after, n: r.conversations.list_in(
        LAB.workspace_id, ANN, after, n, archived=True
    ),
}


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
async def test_lists_page_through_equal_times(store: Store, listing: Listing) -> None:
    """The newest first; what was made in the same microsecond is told apart by its id."""
    made = [
        replace(TALK, conversation_id=ConversationId(f"conv_{number:08}"), create_us=number // 3)
        for number in range(10)
    ]

    def work(records: Records) -> None:
        records.workspaces.add(LAB)
        admin = Member(ResourceId(LAB.workspace_id), BOB, Role.ADMIN, 1)
        records.members.add(admin, LAB.create_us)
        for it in made:
            records.conversations.add(it)
            member = Member(ResourceId(it.conversation_id), ANN, Role.VIEWER, 77)
            records.members.add(member, it.create_us)

    await store.write(work)
    seen: list[Conversation] = []
    while True:
        after = Position(seen[-1].create_us, seen[-1].conversation_id) if seen else None
        page = await store.read(lambda r, it=after: listing(r, it, 3))  # type: ignore[misc]
        if not page:
            break
        seen += page
    assert seen == made[::-1]


async def test_lists_leave_out_what_is_archived(store: Store) -> None:
    """Unless it is asked for."""

    def work(records: Records) -> None:
        fill(records)
        records.conversations.put(replace(TALK, archive_us=1))
        records.workspaces.put(replace(LAB, archive_us=1))

    await store.write(work)
    for archived in (False, True):

        def check(records: Records, archived: bool = archived) -> None:
            mine = records.conversations.list_of(ANN, None, 9, archived=archived)
            assert bool(mine) == archived
            managed = records.conversations.list_of(BOB, None, 9, archived=archived)
            assert bool(managed) == archived
            inside = records.conversations.list_in(
                LAB.workspace_id, None, None, 9, archived=archived
            )
            assert bool(inside) == archived
            workspaces = records.workspaces.list_of(BOB, None, 9, archived=archived)
            assert bool(workspaces) == archived

        await store.read(check)
    ids = await store.read(lambda r: r.conversations.list_ids(None, 9))
    assert ids == [TALK.conversation_id]
    assert await store.read(lambda r: r.conversations.list_ids(ids[-1], 9)) == []
