"""Every store of the context service keeps the same promises."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from antiphon_server.context.adapters.memory import MemoryStore
from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.adapters.tables import metadata
from antiphon_server.context.model.changes import (
    ConversationArchived,
    ConversationCreated,
    ConversationUpdated,
    MemberAdded,
    MemberRemoved,
    MemberUpdated,
    OutboxEntry,
    PastRequest,
    RequestKey,
    Scope,
    WorkspaceUpdated,
)
from antiphon_server.context.model.messages import (
    Content,
    Message,
    MessageId,
    MessageRole,
    MessageSize,
    Offset,
    Totals,
)
from antiphon_server.context.model.resources import (
    Conversation,
    ConversationId,
    Member,
    Position,
    ResourceId,
    Role,
    Standing,
    TurnPolicy,
    Workspace,
    WorkspaceId,
)
from antiphon_server.context.ports import Records, Store
from antiphon_server.runtime.principal import UserId
from antiphon_server.runtime.sqlite import SqliteDatabase

ANN, BOB = UserId("user_ann00000"), UserId("user_bob00000")
LAB = Workspace(WorkspaceId("ws_00000001"), "Lab ✓", 1_000_001)
TALK = Conversation(
    ConversationId("conv_00000001"),
    LAB.workspace_id,
    "Talk",
    TurnPolicy.ROLLBACK,
    ("a/b", "c\nd"),
    "Be kind.",
    2_000_002,
)
OWNER = Member(ResourceId(TALK.conversation_id), ANN, Role.OWNER, 2_000_002)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Each store, empty."""
    if request.param == "memory":
        yield MemoryStore()
        return
    database = SqliteDatabase(tmp_path / "context.db")
    await database.write(metadata.create_all)
    yield SqlStore(database)
    await database.close()


def fill(records: Records) -> None:
    """A workspace of Bob's with a conversation of Ann's."""
    records.workspaces.add(LAB)
    records.members.add(Member(ResourceId(LAB.workspace_id), BOB, Role.ADMIN, 1), LAB.create_us)
    records.conversations.add(TALK)
    records.members.add(OWNER, TALK.create_us)


def said(number: int, turn_id: str = "", text: bytes = b"1234") -> Message:
    """The message at a place."""
    return Message(
        MessageId(f"msg_{number:08}"),
        TALK.conversation_id,
        Offset(number),
        MessageRole.ASSISTANT,
        "handlers/echo",
        turn_id,
        number % 2 == 0,
        number * 10,
        Content(text, len(text)),
    )


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
    """Additions, changes and removals are undone, in every table."""
    await store.write(fill)
    await store.write(lambda r: r.messages.add([said(1)]))
    entry = OutboxEntry("out_1", Scope("workspaces/ws_00000001"), "users/x", (MemberAdded(OWNER),))

    def work(records: Records) -> None:
        records.workspaces.put(replace(LAB, version=5))
        records.members.remove(OWNER.resource, ANN)
        records.members.add(replace(OWNER, user_id=BOB), 1)
        records.messages.add([said(2)])
        records.messages.set_cursor(TALK.conversation_id, "c")
        records.outbox.add(entry)
        records.requests.add(RequestKey("a", "r", b"d"), LAB, 1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.write(work)

    def check(records: Records) -> None:
        assert records.workspaces.get(LAB.workspace_id) == LAB
        assert records.members.list_of(OWNER.resource, None, 9) == [OWNER]
        assert records.messages.totals(TALK.conversation_id, None) == Totals(1, 5)
        assert records.messages.cursor(TALK.conversation_id) == ""
        assert records.outbox.first(9) == []
        assert records.requests.find("a", "r") is None

    await store.read(check)


async def test_standing_tells_both_roles(store: Store) -> None:
    """The direct one and the workspace's; nothing for what does not exist."""
    await store.write(fill)
    talk, lab = OWNER.resource, ResourceId(LAB.workspace_id)
    expected = {
        (ANN, talk): Standing(LAB.workspace_id, Role.OWNER, Role.NONE),
        (BOB, talk): Standing(LAB.workspace_id, Role.NONE, Role.ADMIN),
        (ANN, lab): Standing(LAB.workspace_id, Role.NONE, Role.NONE),
        (BOB, lab): Standing(LAB.workspace_id, Role.ADMIN, Role.ADMIN),
        (ANN, ResourceId("conv_none0000")): None,
        (ANN, ResourceId("ws_none0000")): None,
    }
    for (user, resource), standing in expected.items():
        found = await store.read(lambda r, u=user, it=resource: r.members.standing(u, it))  # type: ignore[misc]
        assert found == standing


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


async def test_messages_are_read_back_whole(store: Store) -> None:
    """Every field survives, found by id and by place."""
    messages = [said(number, f"turn_{number // 2}") for number in (1, 2, 5, 9)]
    await store.write(lambda r: r.messages.add(messages[:2]))
    await store.write(lambda r: r.messages.add(messages[2:]))
    here = TALK.conversation_id
    assert await store.read(lambda r: r.messages.find(here, messages[2].message_id)) == messages[2]
    assert await store.read(lambda r: r.messages.find(here, MessageId("msg_none0000"))) is None
    other = ConversationId("conv_00000002")
    assert await store.read(lambda r: r.messages.find(other, messages[2].message_id)) is None
    found = await store.read(
        lambda r: r.messages.between(here, Offset(2), Offset(8), rolled_back=True)
    )
    assert found == [messages[2], messages[1]]
    sizes = await store.read(lambda r: r.messages.sizes(here, Offset(9), 2, rolled_back=True))
    assert sizes == [MessageSize(Offset(5), 5, 4), MessageSize(Offset(2), 5, 4)]


async def test_totals_know_what_was_rolled_back(store: Store) -> None:
    """Sums end before a place; what was rolled back is told on its own, also twice."""
    here = TALK.conversation_id
    messages = [said(number, f"turn_{number % 3}", b"x" * number) for number in range(1, 10)]

    def work(records: Records) -> None:
        records.messages.add(messages)
        records.messages.roll_back(here, {"turn_1"})
        records.messages.roll_back(here, {"turn_1", "turn_none"})

    await store.write(work)

    def check(records: Records) -> None:
        for before in (None, *map(Offset, range(1, 11))):
            below = [it for it in messages if before is None or it.offset < before]
            undone = [it for it in below if it.turn_id == "turn_1"]
            assert records.messages.totals(here, before) == _sum(below)
            assert records.messages.rolled_back(here, before) == _sum(undone)
            kept = records.messages.sizes(here, before, 99, rolled_back=False)
            assert [it.offset for it in kept] == [
                it.offset for it in reversed(below) if it not in undone
            ]
        alive = records.messages.between(here, Offset(1), Offset(9), rolled_back=False)
        assert alive == [it for it in reversed(messages) if it.turn_id != "turn_1"]

    await store.read(check)


def _sum(messages: list[Message]) -> Totals:
    return Totals(len(messages), sum(it.content.tokens for it in messages))


async def test_the_cursor_is_kept_until_it_is_cleared(store: Store) -> None:
    """Clearing forgets the messages of that conversation alone."""
    here, other = TALK.conversation_id, ConversationId("conv_00000002")

    def work(records: Records) -> None:
        assert records.messages.cursor(here) == ""
        records.messages.set_cursor(here, "a")
        records.messages.set_cursor(here, "b")
        records.messages.add([said(1)])
        records.messages.add([replace(said(1), conversation_id=other)])

    await store.write(work)
    assert await store.read(lambda r: r.messages.cursor(here)) == "b"
    await store.write(lambda r: r.messages.clear(here))
    assert await store.read(lambda r: r.messages.cursor(here)) == ""
    assert await store.read(lambda r: r.messages.totals(here, None)) == Totals(0, 0)
    assert await store.read(lambda r: r.messages.totals(other, None)) == Totals(1, 5)


async def test_what_was_trimmed_is_not_trimmed_again(store: Store) -> None:
    """The newest message from before a time, if it is beyond what was trimmed."""
    here = TALK.conversation_id

    def work(records: Records) -> None:
        records.messages.add([said(number) for number in (1, 2, 3, 4)])
        records.messages.set_cursor(here, "c")

    await store.write(work)
    ids = [here, ConversationId("conv_00000002")]
    assert await store.read(lambda r: r.messages.newest_before(ids, 10)) == {}
    assert await store.read(lambda r: r.messages.newest_before(ids, 31)) == {here: 3}
    await store.write(lambda r: r.messages.set_trimmed({here: Offset(3)}))
    assert await store.read(lambda r: r.messages.newest_before(ids, 31)) == {}
    assert await store.read(lambda r: r.messages.newest_before(ids, 41)) == {here: 4}


async def test_the_outbox_keeps_order_and_content(store: Store) -> None:
    """Every kind of change comes back as it was put in, those that wait longest first."""
    changes = (
        ConversationCreated(TALK),
        ConversationUpdated(replace(TALK, version=2)),
        ConversationArchived(replace(TALK, archive_us=9)),
        WorkspaceUpdated(replace(LAB, archive_us=8, version=20)),
        MemberAdded(OWNER),
        MemberUpdated(replace(OWNER, role=Role.VIEWER)),
        MemberRemoved(OWNER.resource, ANN),
    )
    scope = Scope("conversations/conv_00000001")
    entries = [OutboxEntry(f"out_{9 - n}", scope, "users/x", changes[n:]) for n in range(7)]

    def work(records: Records) -> None:
        for entry in entries:
            records.outbox.add(entry)

    await store.write(work)
    assert await store.read(lambda r: r.outbox.first(3)) == entries[:3]
    await store.write(lambda r: r.outbox.remove([entries[0].entry_id, entries[2].entry_id]))
    assert await store.read(lambda r: r.outbox.first(99)) == [entries[1], *entries[3:]]


async def test_requests_are_remembered_for_a_time(store: Store) -> None:
    """By caller and id, with the answer as it was; old ones can be dropped."""

    def work(records: Records) -> None:
        records.requests.add(RequestKey("users/a", "r1", b"1"), LAB, 10)
        records.requests.add(RequestKey("users/a", "r2", b"2"), TALK, 20)

    await store.write(work)
    found = await store.read(lambda r: r.requests.find("users/a", "r1"))
    assert found == PastRequest(b"1", LAB)
    found = await store.read(lambda r: r.requests.find("users/a", "r2"))
    assert found == PastRequest(b"2", TALK)
    assert await store.read(lambda r: r.requests.find("users/b", "r1")) is None
    assert await store.write(lambda r: r.requests.forget(20)) == 1
    assert await store.read(lambda r: r.requests.find("users/a", "r1")) is None
    assert await store.read(lambda r: r.requests.find("users/a", "r2")) is not None
