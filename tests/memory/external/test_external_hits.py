"""What a memory of others has found is joined with the index's; nothing else of it is believed."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from antiphon_server.memory.adapters.conversations import ContextConversations
from antiphon_server.memory.adapters.sql_memories import SqlMemories
from antiphon_server.memory.adapters.tables import metadata
from antiphon_server.memory.external.asking import Asking
from antiphon_server.memory.external.model import Answered, Hit, Question
from antiphon_server.memory.memories.sources import Sources
from antiphon_server.memory.model import RecallWish
from antiphon_server.memory.remembered import Kind, Memory
from antiphon_server.memory.search.external_hits import ExternalHits
from antiphon_server.memory.search.recalling import Recalling, Recollection
from antiphon_server.memory.search.shelf import Shelf
from tests.context.stand_ins import ANN, SERVICE
from tests.fakes.databases import opened_sqlite
from tests.memory.search_world import Search, person

MINE, THEIRS = f"users/{ANN}", "users/user_0000000eve"


class Says:
    """A memory of others that answers what it is told to."""

    def __init__(self) -> None:
        self.hits: Sequence[Hit] = ()
        self.asked: list[Question] = []

    async def search(self, question: Question) -> Sequence[Hit]:
        self.asked.append(question)
        return self.hits


class World:
    """A server that asks it, for Ann."""

    def __init__(self, search: Search, store: SqlMemories) -> None:
        self.store, self.says = store, Says()
        self.asking = Asking(self.says, 30.0)  # type: ignore[arg-type]
        conversations = ContextConversations(search.world.client(SERVICE))
        shelf = Shelf(store, search.world.accounts, search.library)
        hits = ExternalHits(self.asking, store, Sources(conversations))
        self.recalling = Recalling(
            conversations, store, search.library, shelf, search.searching, external=hits
        )

    async def put(self, number: int, text: str, **more: Any) -> Memory:
        """Remember something of Ann."""
        memory = Memory(f"mem_{number:08}", MINE, Kind.FACT, text, create_us=1, **more)
        return (await self.store.put(replace(memory, etag=f"e{number}"), None)).memory

    async def recall(self, query: str, **more: Any) -> Recollection:
        """What Ann is answered."""
        return await self.recalling.recall(person(ANN), RecallWish(query, 10, **more))

    async def ids(self, query: str, **more: Any) -> list[str]:
        """The numbers of what Ann is answered."""
        found = await self.recall(query, **more)
        return [str(it.item.memory_id) for it in found.recalled]  # type: ignore[union-attr]


@pytest.fixture
async def world(search: Search) -> AsyncIterator[World]:
    async with opened_sqlite(metadata) as database:
        yield World(search, SqlMemories(database))


async def test_what_both_find_comes_first_and_what_it_finds_alone_is_there(world: World) -> None:
    """With the part that its place is worth, and why it is here."""
    for number, text in enumerate(["tea is green", "tea is black", "coffee", "milk"], 1):
        await world.put(number, text)
    world.says.hits = [Hit("mem_00000002"), Hit("mem_00000003")]
    found = await world.recall("tea")
    assert found.external is Answered.ANSWERED
    assert [it.item.memory_id for it in found.recalled] == [  # type: ignore[union-attr]
        "mem_00000002",
        "mem_00000001",
        "mem_00000003",
    ]
    assert all(it.score == pytest.approx(sum(it.parts.values())) for it in found.recalled)
    assert found.recalled[2].reason == "found by the external memory"


async def test_it_is_asked_in_what_the_asker_may_read(world: World) -> None:
    await world.put(1, "tea")
    await world.store.put(Memory("mem_00000009", THEIRS, Kind.FACT, "tea", etag="e9"), None)
    await world.recall("tea")
    (asked,) = world.says.asked
    assert (asked.query, list(asked.scopes)) == ("tea", [MINE])


async def test_lies_show_nothing(world: World) -> None:
    """Others', forgotten, superseded, expired and unknown ones, and texts that nobody has put."""
    await world.put(1, "tea is green")
    await world.put(2, "secret")
    await world.store.forget("mem_00000002", 5, "services/memory")
    await world.put(3, "tea is old")
    await world.put(4, "tea is new", supersedes="mem_00000003")
    await world.put(5, "gone", expire_us=2)
    await world.store.put(Memory("mem_00000009", THEIRS, Kind.FACT, "tea", etag="e9"), None)
    lies = ["mem_00000002", "mem_00000003", "mem_00000005", "mem_00000009", "mem_99999999"]
    world.says.hits = [*map(Hit, lies), Hit("mem_00000001", "tea is poison")]
    found = await world.recall("tea")
    assert sorted(it.item.text for it in found.recalled) == ["tea is green", "tea is new"]
    assert (world.asking.dropped, world.asking.altered) == (5, 1)


async def test_what_was_not_asked_for_is_not_shown(world: World) -> None:
    """Other kinds, times and people than the question's."""
    await world.put(1, "tea is green", subject=MINE)
    await world.put(2, "coffee", valid_from_us=5_000_000)
    world.says.hits = [Hit("mem_00000002"), Hit("mem_00000001")]
    assert await world.ids("tea", kinds=frozenset({"preference"})) == []
    assert await world.ids("tea", people=frozenset({MINE})) == ["mem_00000001"]
    assert await world.ids("tea", before_us=4_000_000) == ["mem_00000001"]
    assert await world.ids("tea", not_before_us=4_000_000) == ["mem_00000002"]
    assert await world.ids("tea", scopes=["workspaces/ws_00000000"]) == []


async def test_where_there_are_no_memories_it_is_not_asked(world: World) -> None:
    found = await world.recall("tea")
    assert found.external is Answered.NOT_ASKED
    assert world.says.asked == []
