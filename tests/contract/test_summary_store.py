"""Every store of summaries does each thing once, and forgets what was erased."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from antiphon_server.memory.adapters.sql_sources import SqlSources
from antiphon_server.memory.adapters.sql_summaries import SqlSummaries
from antiphon_server.memory.adapters.tables import metadata
from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.summaries.blocks import MOST, cut
from antiphon_server.memory.summaries.model import (
    FAN_OUT,
    Line,
    Node,
    Place,
    Posted,
    State,
    Summary,
)
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, metadata)
HERE, THERE = ConversationId("conv_00000001"), ConversationId("conv_00000002")


@pytest.fixture
def store(database: Database) -> SqlSummaries:
    return SqlSummaries(database)


def posted(first: int, count: int) -> Sequence[Posted]:
    """Messages msg_0, msg_1 and so on, each of a turn of its own."""
    return [
        Posted(MessageId(f"msg_{at}"), f"turn_{at}", at * 1_000_000, 10)
        for at in range(first, first + count)
    ]


async def read(store: SqlSummaries, count: int, where: ConversationId = HERE) -> Place:
    """Have so many messages read there."""
    place, found = cut(Place("c1"), posted(0, count))
    assert await store.keep(where, None, place, found, (), ())
    return place


async def make(store: SqlSummaries) -> None:
    """Make all that is due."""
    while due := await store.due(HERE, 4):
        for it in due:
            line = Line(f"said in {it.node.level}.{it.node.number}", "msg_1", "users/u", 5, 0.5)
            assert await store.put(it, Summary(it.node, messages=1, people=(line,)))


async def test_a_stretch_of_a_log_is_kept_once(store: SqlSummaries) -> None:
    """Whoever comes second changes nothing."""
    place = await read(store, MOST + 1)
    assert await store.places([HERE, THERE]) == {HERE: place}
    assert not await store.keep(HERE, None, replace(place, cursor="c2"), (), (), ())
    assert await store.keep(HERE, place, replace(place, cursor="c2"), (), (), ())
    assert not await store.keep(HERE, place, replace(place, cursor="c3"), (), (), ())
    assert (await store.known(ConversationId(""), 10))[HERE].cursor == "c2"
    assert await store.known(HERE, 10) == {}


async def test_what_is_complete_is_due_once_the_lowest_level_first(store: SqlSummaries) -> None:
    """And it is made once, whoever else has begun."""
    await read(store, MOST * FAN_OUT + 1)
    due = await store.due(HERE, 100)
    assert [it.node for it in due] == [*(Node(0, at) for at in range(FAN_OUT)), Node(1, 0)]
    assert await store.waiting(10) == [HERE]
    assert await store.pending(HERE) == len(due)
    assert await store.message_ids(HERE, 1) == [f"msg_{at}" for at in range(MOST, 2 * MOST)]
    made = Summary(due[0].node, "msg_0", "msg_9", 1, 2, 3, (Line("said"),))
    assert await store.put(due[0], made)
    assert not await store.put(due[0], replace(made, people=()))
    assert await store.those(HERE, [due[0].node, due[1].node]) == {due[0].node: made}
    assert await store.pending(HERE) == len(due) - 1


async def test_summaries_are_listed_in_order(store: SqlSummaries) -> None:
    """Behind one, and of one level."""
    await read(store, MOST * FAN_OUT + 1)
    await make(store)
    assert await store.waiting(10) == []
    whole = await store.listed(HERE, None, None, 100)
    assert [it.node for it in whole] == sorted(it.node for it in whole)
    assert await store.listed(HERE, None, whole[2].node, 2) == whole[3:5]
    assert await store.listed(HERE, 1, None, 100) == whole[-1:]
    assert await store.listed(HERE, 0, Node(0, 5), 100) == whole[6:8]


async def test_what_has_an_erased_message_is_due_anew_on_each_level(store: SqlSummaries) -> None:
    """Nothing of it is left, and what was begun before is not kept."""
    place = await read(store, MOST * FAN_OUT + 1)
    begun = (await store.due(HERE, 1))[0]
    await make(store)
    gone = MessageId("msg_3")
    await store.forget(HERE, [gone])
    assert [it.node for it in await store.due(HERE, 9)] == [Node(0, 0), Node(1, 0)]
    assert not await store.put(begun, Summary(begun.node))
    assert await store.those(HERE, [Node(0, 0), Node(1, 0)]) == {}
    assert gone not in await store.message_ids(HERE, 0)
    await make(store)
    after = replace(place, cursor="c2")
    assert await store.keep(HERE, place, after, (), ["turn_60"], [MessageId("msg_110")])
    nodes = [it.node for it in await store.due(HERE, 9)]
    assert nodes == [Node(0, 1), Node(0, 2), Node(1, 0)]
    await store.scrub()


async def test_what_was_erased_since_it_was_read_is_in_no_summary(
    store: SqlSummaries, database: Database
) -> None:
    """Neither what was read before and is kept now, nor what was kept before."""
    sources = SqlSources(database)
    await sources.close(HERE, [MessageId("msg_1")], 1)
    place = await read(store, MOST + 1)
    kept = await store.message_ids(HERE, 0)
    assert kept == [f"msg_{at}" for at in range(MOST) if at != 1]
    assert await store.blocks_of(HERE, [MessageId("msg_1")], ()) == set()
    await sources.close(HERE, [MessageId("msg_2")], 1)
    assert await store.message_ids(HERE, 0) == kept[:1] + kept[2:]
    await sources.close_whole(HERE, 1)
    assert await store.message_ids(HERE, 0) == []
    after, found = cut(replace(place, cursor="c2"), posted(MOST + 1, 3))
    assert await store.keep(HERE, place, after, found, (), ())
    assert await store.blocks_of(HERE, [it.message_id for it, _ in found], ()) == set()


async def test_blocks_are_found_by_messages_and_by_turns(store: SqlSummaries) -> None:
    """Of that conversation alone."""
    await read(store, MOST * 3)
    await read(store, MOST, THERE)
    found = await store.blocks_of(HERE, [MessageId("msg_1")], [f"turn_{MOST}", "turn_none"])
    assert set(found) == {0, 1}
    assert await store.blocks_of(HERE, [], []) == set()


async def test_a_model_is_asked_by_one_about_what_its_parts_are_written(
    store: SqlSummaries,
) -> None:
    """The newest first, and again no sooner than was said."""
    await read(store, MOST * FAN_OUT + 1)
    await make(store)
    assert await store.claim([], 1, 2) is None
    assert await store.claim([THERE], 1, 2) is None
    claimed = await store.claim([HERE], 10, 20)
    assert claimed is not None
    assert claimed.node == Node(0, FAN_OUT - 1)
    other = await store.claim([HERE], 10, 20)
    assert other is not None
    assert other.node == Node(0, FAN_OUT - 2)
    await store.later(claimed, 1000)
    again = await store.claim([HERE], 100, 200)
    assert again is not None
    assert again.node != claimed.node
    nodes = set[Node]()
    while (due := await store.claim([HERE], 2000, 3000)) is not None:
        nodes.add(due.node)
        assert await store.put(due, Summary(due.node, state=State.MODEL, model="m"))
    assert nodes == {*(Node(0, at) for at in range(FAN_OUT)), Node(1, 0)}


async def test_a_dropped_conversation_begins_anew(store: SqlSummaries) -> None:
    """Unless somebody has read on."""
    place = await read(store, MOST * 2)
    assert not await store.drop(HERE, "c0")
    assert await store.drop(HERE, place.cursor)
    assert await store.places([HERE]) == {}
    assert await store.pending(HERE) == 0
    await read(store, MOST)
