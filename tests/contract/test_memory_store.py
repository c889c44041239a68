"""Every store keeps memories, what they were, and in which order they changed."""

import asyncio
from dataclasses import replace

import pytest

from antiphon.auth.v1.audit_pb2 import MemoryForgotten
from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon_server.memory.adapters import putting
from antiphon_server.memory.adapters.sql_memories import SqlMemories
from antiphon_server.memory.adapters.tables import memories, trail_outbox
from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.remembered import (
    Changed,
    Kind,
    ListWish,
    Memory,
    Origin,
    Request,
    Source,
    State,
    forgotten,
)
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.outbox import SqlOutbox
from tests.e2e.refusals import Refused
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, memories.metadata)
ANN, BOB, HERE = "users/user_0000000ann", "users/user_0000000bob", "conversations/conv_00000001"
SAID = Source(ConversationId("conv_00000001"), MessageId("msg_1"), 3, 9)
ONE = Memory(
    "mem_00000001",
    ANN,
    Kind.FACT,
    "Ann lives in Lyon.",
    subject=ANN,
    entities=("Ann", "Lyon"),
    valid_from_us=-5,
    valid_until_us=9_000_000,
    importance=0.75,
    expire_us=8_000_000,
    sources=(SAID,),
    creator=ANN,
    origin=Origin.RULES,
    etag="etag_1",
    create_us=1_000_000,
    update_us=1_000_000,
)
TWO = replace(ONE, memory_id="mem_00000002", text="Ann works in Nice.", etag="etag_2")
OWN = ListWish(ANN)
ASKED = Request(ANN, "9b1d0f0e-5b1c-4f9e-8a58-000000000001", b"1" * 32, ANN)


@pytest.fixture
def store(database: Database) -> SqlMemories:
    return SqlMemories(database)


async def ids(store: SqlMemories, wish: ListWish = OWN) -> list[str]:
    found = await store.list(wish, "", 100)
    return [it.memory_id for it in found]


async def test_a_memory_comes_back_as_it_was_put(store: SqlMemories) -> None:
    assert await store.get(ONE.memory_id) is None
    assert (await store.put(ONE, None)).memory == ONE
    assert await store.get(ONE.memory_id) == ONE
    assert await store.those([ONE.memory_id, TWO.memory_id]) == {ONE.memory_id: ONE}


async def test_lists_are_of_a_scope_the_newest_first(store: SqlMemories) -> None:
    there = replace(ONE, memory_id="mem_00000009", scope=HERE)
    liked = replace(TWO, memory_id="mem_00000003", kind=Kind.PREFERENCE, subject=BOB)
    for it in (ONE, TWO, liked, there):
        await store.put(it, None)
    assert await ids(store) == [liked.memory_id, TWO.memory_id, ONE.memory_id]
    assert await store.list(ListWish(ANN), TWO.memory_id, 5) == [ONE]
    assert await store.list(ListWish(ANN), "", 1) == [liked]
    assert await ids(store, ListWish(ANN, kinds=[Kind.PREFERENCE])) == [liked.memory_id]
    assert await ids(store, ListWish(ANN, subject=BOB)) == [liked.memory_id]
    assert await ids(store, ListWish(HERE)) == [there.memory_id]
    assert await ids(store, ListWish(ANN, [State.SUPERSEDED])) == []


async def test_what_says_the_same_is_put_once_with_both_sources(store: SqlMemories) -> None:
    """Case, spaces and punctuation are no difference; another kind, subject or scope is."""
    await store.put(ONE, None)
    other = Source(ConversationId("conv_00000002"), MessageId("msg_2"))
    again = replace(
        TWO, text="ann  LIVES in Lyon!", sources=(SAID, other), expire_us=None, create_us=2_000_000
    )
    put = await store.put(again, None)
    assert put.merged
    assert put.memory.memory_id == ONE.memory_id
    assert put.memory.sources == (SAID, other)
    assert (put.memory.text, put.memory.version, put.memory.expire_us) == (ONE.text, 1, None)
    assert not (await store.put(again, None)).changed
    for different in (
        replace(TWO, text=ONE.text, kind=Kind.EVENT),
        replace(TWO, text=ONE.text, subject=BOB, memory_id="mem_00000003"),
        replace(TWO, text=ONE.text, scope=HERE, memory_id="mem_00000004"),
    ):
        assert not (await store.put(different, None)).merged


async def test_many_who_put_the_same_at_once_put_one(store: SqlMemories) -> None:
    many = [replace(ONE, memory_id=f"mem_0000{it:04}") for it in range(8)]
    puts = await asyncio.gather(*(store.put(it, None) for it in many))
    assert len({it.memory.memory_id for it in puts}) == 1
    assert sum(not it.merged for it in puts) == 1


async def test_what_has_expired_is_not_joined_with(store: SqlMemories) -> None:
    """It is forgotten then, and the new one stands alone."""
    await store.put(ONE, None)
    put = await store.put(replace(ONE, memory_id="mem_00000005", create_us=8_000_000), None)
    assert not put.merged
    assert (await store.those([ONE.memory_id]))[ONE.memory_id].state is State.FORGOTTEN


async def test_what_is_superseded_is_kept_with_what_it_was(store: SqlMemories) -> None:
    """It holds until then; it can't be superseded twice, nor from another scope."""
    await store.put(ONE, None)
    new = replace(TWO, supersedes=ONE.memory_id, create_us=2_000_000, update_us=2_000_000)
    await store.put(new, None)
    old = await store.get(ONE.memory_id)
    assert old is not None
    assert (old.state, old.superseded_by) == (State.SUPERSEDED, TWO.memory_id)
    assert (old.valid_until_us, old.text, old.version) == (2_000_000, ONE.text, 2)
    assert await store.versions(ONE.memory_id, 99, 10) == [ONE]
    assert await ids(store) == [TWO.memory_id]
    third = replace(TWO, memory_id="mem_00000003", text="Ann lives in Paris", supersedes="")
    with Refused(Reason.MEMORY_NOT_ACTIVE):
        await store.put(replace(third, supersedes=ONE.memory_id), None)
    with Refused(Reason.NOT_FOUND):
        await store.put(replace(third, scope=BOB, supersedes=TWO.memory_id), None)
    assert await store.get(third.memory_id) is None
    assert not (await store.put(replace(third, text=ONE.text), None)).merged


async def test_a_change_counts_if_nobody_else_was_quicker(store: SqlMemories) -> None:
    await store.put(ONE, None)
    after = replace(ONE, text="Ann lives in Lyon, France", version=2, etag="etag_9", update_us=5)
    assert not await store.replace(after, "etag_other")
    assert await store.replace(after, "etag_1")
    assert await store.get(ONE.memory_id) == after
    assert await store.versions(ONE.memory_id, 99, 10) == [ONE]
    assert await store.versions(ONE.memory_id, 1, 10) == []
    assert await store.versions_of([ONE.memory_id, TWO.memory_id]) == {ONE.memory_id: [ONE]}
    await store.put(TWO, None)
    with Refused(Reason.ALREADY_EXISTS):
        await store.replace(replace(TWO, text="ann lives in lyon france"), "etag_2")


async def test_forgetting_leaves_nothing_of_what_it_said(
    store: SqlMemories, database: Database
) -> None:
    """Text, names, sources and versions are gone from every row; id, scope and times are left."""
    await store.put(ONE, ASKED)
    await store.replace(
        replace(ONE, text="Ann lives in Lyon, still", version=2, etag="2"), "etag_1"
    )
    left = forgotten(replace(ONE, version=2), 7_000_000)
    assert await store.forget(ONE.memory_id, 7_000_000) == left
    assert await store.forget(ONE.memory_id, 9_000_000) == left
    assert await store.get(ONE.memory_id) == left
    assert await store.versions(ONE.memory_id, 99, 10) == []
    assert await store.forget("mem_unknown1", 1) is None
    rows = await database.read(
        lambda it: [
            bytes(str(tuple(row)), "utf-8")
            for table in memories.metadata.sorted_tables
            for row in it.execute(table.select())
        ]
    )
    assert not [it for it in rows for word in (b"Lyon", b"msg_1", b"111111") if word in it]
    again = await store.put(ONE, ASKED)
    assert again.memory == left
    assert [await _told(database)] == [MemoryForgotten(resource=ANN, memory_id=ONE.memory_id)]


async def _told(database: Database) -> MemoryForgotten:
    ((_, entry),) = await SqlOutbox(database, trail_outbox).first(0, 10)
    (event,) = RecordSecurityEventsRequest.FromString(entry.body).events
    assert event.user_id == ANN.removeprefix("users/")
    return event.memory_forgotten


async def test_a_repeated_request_is_answered_with_the_same_memory(store: SqlMemories) -> None:
    """One that says something else is refused; after a day it is unknown."""
    assert await store.made_by(ASKED) is None
    put = await store.put(ONE, ASKED)
    again = await store.put(replace(ONE, memory_id="mem_00000007", text="Else"), ASKED)
    assert (again.memory, again.merged, again.changed) == (put.memory, False, False)
    assert await store.made_by(ASKED) == again
    with Refused(Reason.REQUEST_ID_REUSED):
        await store.made_by(replace(ASKED, digest=b"2" * 32))
    assert await store.made_by(replace(ASKED, actor=BOB)) is None
    await store.forget_requests(ONE.create_us + 1)
    assert await store.made_by(ASKED) is None


async def test_a_request_is_of_its_scope_though_what_it_put_is_forgotten(
    store: SqlMemories,
) -> None:
    """Nobody knows then what it said, but whose it was."""
    await store.put(ONE, ASKED)
    left = await store.forget(ONE.memory_id, 1)
    assert left is not None
    elsewhere = replace(ASKED, digest=b"2" * 32, scope=HERE)
    with Refused(Reason.REQUEST_ID_REUSED):
        await store.made_by(elsewhere)
    with Refused(Reason.REQUEST_ID_REUSED):
        await store.put(replace(TWO, scope=HERE), elsewhere)
    assert await store.list(ListWish(HERE), "", 10) == []
    again = await store.made_by(ASKED)
    assert again is not None
    assert again.memory == left


async def test_whoever_has_read_nothing_is_not_told_of_what_was_forgotten(
    store: SqlMemories,
) -> None:
    """Of what is forgotten while they read they are, on whatever page."""
    three = replace(TWO, memory_id="mem_00000003", text="Ann sings.")
    for it in (ONE, TWO, three):
        await store.put(it, None)
    await store.forget(ONE.memory_id, 1)
    begun = (await store.revisions([ANN]))[ANN]
    first = await store.changed(ANN, 0, 1, begun)
    assert first.memories == [TWO]
    await store.forget(TWO.memory_id, 1)
    rest = await store.changed(ANN, first.revision, 10, begun)
    found = [(it.memory_id, it.state) for it in rest.memories]
    assert found == [(three.memory_id, State.ACTIVE), (TWO.memory_id, State.FORGOTTEN)]
    assert rest.revision == (await store.revisions([ANN]))[ANN]


async def test_whoever_knows_a_revision_learns_what_has_changed_since(store: SqlMemories) -> None:
    """Each change of a scope has a later one; of what changed twice the newest counts."""
    assert await store.revisions([ANN, HERE]) == {}
    await store.put(ONE, None)
    first = (await store.revisions([ANN, HERE]))[ANN]
    assert await store.changed(ANN, 0, 10) == Changed([ONE], first)
    new = replace(TWO, supersedes=ONE.memory_id, update_us=2_000_000)
    await store.put(new, None)
    await store.put(replace(ONE, memory_id="mem_00000009", scope=HERE), None)
    changed = await store.changed(ANN, first, 10)
    assert [it.memory_id for it in changed.memories] == [TWO.memory_id, ONE.memory_id]
    assert changed.revision == (await store.revisions([ANN]))[ANN] > first
    some = await store.changed(ANN, first, 1)
    assert [it.memory_id for it in some.memories] == [TWO.memory_id]
    rest = await store.changed(ANN, some.revision, 1)
    assert [it.memory_id for it in rest.memories] == [ONE.memory_id]
    await store.forget(TWO.memory_id, 1)
    (gone,) = (await store.changed(ANN, changed.revision, 10)).memories
    assert (gone.memory_id, gone.text, gone.state) == (TWO.memory_id, "", State.FORGOTTEN)
    assert (await store.changed(BOB, 0, 10)).revision == 0


async def test_a_scope_has_so_many_and_no_more(
    store: SqlMemories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is forgotten makes room; what is there already needs none."""
    monkeypatch.setattr(putting, "MOST_OF_SCOPE", 2)
    await store.put(ONE, None)
    await store.put(TWO, None)
    third = replace(TWO, memory_id="mem_00000003", text="More")
    with Refused(Reason.LIMIT_EXCEEDED):
        await store.put(third, None)
    assert (await store.put(replace(TWO, memory_id="mem_00000004"), None)).merged
    await store.forget(TWO.memory_id, 1)
    await store.put(third, None)


async def test_all_about_a_person_comes_by_id(store: SqlMemories) -> None:
    """Their own, and what is about them elsewhere; nothing that is forgotten."""
    own = replace(ONE, subject="")
    about = replace(TWO, scope=HERE)
    other = replace(TWO, memory_id="mem_00000003", scope=HERE, subject=BOB)
    gone = replace(ONE, memory_id="mem_00000004", text="Gone")
    for it in (own, about, other, gone):
        await store.put(it, None)
    await store.forget(gone.memory_id, 1)
    assert await store.about(ANN, "", 10) == [own, about]
    assert await store.about(ANN, own.memory_id, 10) == [about]
    assert await store.about(ANN, "", 1) == [own]


async def test_what_has_expired_is_found(store: SqlMemories) -> None:
    await store.put(ONE, None)
    assert await store.list(OWN, "", 10, 7_999_999) == [ONE]
    assert await store.list(OWN, "", 10, 8_000_000) == []
    assert await store.expired(7_999_999, 10) == []
    assert await store.expired(8_000_000, 10) == [ONE.memory_id]
    await store.forget(ONE.memory_id, 1, "services/memory")
    assert await store.expired(8_000_000, 10) == []
