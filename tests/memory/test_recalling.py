"""What is recalled: the best of all that the caller may read, however they may read it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from antiphon.auth.v1.access_pb2 import ROLE_GUEST
from antiphon_server.memory.adapters.conversations import ContextConversations
from antiphon_server.memory.adapters.sql_memories import SqlMemories
from antiphon_server.memory.adapters.tables import metadata
from antiphon_server.memory.model import RecallWish
from antiphon_server.memory.remembered import Kind, Memory
from antiphon_server.memory.search.recalling import MOST_RANKED, Recalling, Recollection
from antiphon_server.memory.search.shelf import Shelf
from tests.context.stand_ins import ANN, BOB, SERVICE
from tests.fakes.databases import opened_sqlite
from tests.memory.search_world import Search, person, worker


async def test_what_fits_best_is_recalled_also_where_somebody_is_a_guest(search: Search) -> None:
    """However much of their own fits worse."""
    world, best = search.world, "the white heron of the lake"
    own, here = await world.conversation(BOB), await world.conversation(ANN)
    for number in range(MOST_RANKED):
        await world.post(own, ("a heron again", "nothing else")[number % 2], BOB)
    for number in range(30):
        await world.post(here, best if number == 15 else f"a day by the sea: {number}")
    await world.add(here, BOB, ROLE_GUEST)
    async with opened_sqlite(metadata) as database:
        store = SqlMemories(database)
        shelf = Shelf(store, world.accounts, search.library)
        conversations = ContextConversations(world.client(SERVICE))
        it = Recalling(conversations, store, search.library, shelf, search.searching)
        found = await it.recall(person(BOB), RecallWish(best, 50, max_tokens=10_000))
    assert found.recalled[0].item.text == best


ABOUT_ME = "What do you know about me?"


@dataclass
class Recalls:
    """Ann's own memories, some of equal importance, and others'."""

    search: Search
    store: SqlMemories
    recalling: Recalling

    async def put(
        self, number: int, text: str, scope: str = f"users/{ANN}", **more: object
    ) -> None:
        """Remember something; the higher its number, the newer."""
        made = Memory(f"mem_{number:08}", scope, Kind.FACT, text, etag="e", create_us=number)
        await self.store.put(replace(made, **more), None)  # type: ignore[arg-type]

    async def found(self, query: str = ABOUT_ME, **more: object) -> Recollection:
        """What Ann recalls."""
        wish = replace(RecallWish(query, 10), **more)  # type: ignore[arg-type]
        return await self.recalling.recall(person(ANN), wish)

    async def texts(self, query: str = ABOUT_ME, **more: object) -> list[str]:
        """In order."""
        return [it.item.text for it in (await self.found(query, **more)).recalled]


@pytest.fixture
async def recalls(search: Search) -> AsyncIterator[Recalls]:
    async with opened_sqlite(metadata) as database:
        store, world = SqlMemories(database), search.world
        shelf = Shelf(store, world.accounts, search.library)
        conversations = ContextConversations(world.client(SERVICE))
        recalling = Recalling(conversations, store, search.library, shelf, search.searching)
        it = Recalls(search, store, recalling)
        await it.put(1, "Ann plays the oboe")
        await it.put(2, "Ann is allergic to nuts", importance=0.9)
        await it.put(3, "Ann likes tea", kind=Kind.PREFERENCE, subject=f"users/{ANN}")
        await it.put(4, "Bob likes rum", f"users/{BOB}", importance=1.0)
        yield it


@pytest.mark.parametrize(
    "query",
    [
        ABOUT_ME,
        "What do you remember about me?",
        "was weißt du über mich",
        "An was erinnerst du dich?",
        "Que sais-tu de moi ?",
        "De quoi te souviens-tu à mon sujet ?",
        "¿Qué sabes de mí?",
        "que recuerdas sobre mi",
    ],
)
async def test_where_nothing_in_particular_is_asked_what_matters_most_is_recalled(
    recalls: Recalls, query: str
) -> None:
    """Of one's own, the most important first, then the newest; whatever was said in such words."""
    here = await recalls.search.world.conversation(ANN)
    await recalls.search.world.post(here, query)
    found = await recalls.found(query)
    assert [it.item.text for it in found.recalled] == [
        "Ann is allergic to nuts",
        "Ann likes tea",
        "Ann plays the oboe",
    ]
    assert [it.score for it in found.recalled] == [0.9, 0.5, 0.5]
    assert {it.reason for it in found.recalled} == {
        "nothing in particular was asked for: what matters most"
    }
    assert (found.searched, found.pending, found.left_out, found.more) == (0, 0, 0, False)


async def test_what_matters_most_is_within_what_is_wished_for(recalls: Recalls) -> None:
    """Kinds, people, times, tokens, how many, and in which scopes."""
    mine = f"users/{ANN}"
    await recalls.put(5, "The lab has a kettle", f"users/{ANN}", valid_from_us=50)
    assert await recalls.texts(kinds=frozenset({"preference"})) == ["Ann likes tea"]
    assert await recalls.texts(people=frozenset({mine})) == ["Ann likes tea"]
    assert await recalls.texts(not_before_us=50) == ["The lab has a kettle"]
    assert await recalls.texts(limit=1) == ["Ann is allergic to nuts"]
    found = await recalls.found(max_tokens=6)
    assert ([it.item.text for it in found.recalled], found.left_out) == (
        ["Ann is allergic to nuts"],
        3,
    )
    there = await recalls.search.world.conversation(ANN)
    await recalls.put(6, "The key is green", f"conversations/{there}", importance=1.0)
    assert "The key is green" not in await recalls.texts()
    assert await recalls.texts(scopes=[f"conversations/{there}"]) == ["The key is green"]
    assert await recalls.texts(scopes=[f"users/{BOB}"]) == []


async def test_a_turns_worker_is_given_what_matters_in_its_conversation(recalls: Recalls) -> None:
    there = await recalls.search.world.conversation(ANN)
    await recalls.put(6, "The key is green", f"conversations/{there}")
    by_grant = worker(ANN, there, "ws_00000001")
    found = await recalls.recalling.recall(by_grant, RecallWish(ABOUT_ME, 10))
    assert [it.item.text for it in found.recalled] == ["The key is green"]


async def test_without_memories_and_by_messages_alone_it_is_searched_as_ever(
    recalls: Recalls,
) -> None:
    """So are one word, and a query with a word that says what it is about."""
    here = await recalls.search.world.conversation(ANN)
    await recalls.search.world.post(here, "I remember nothing")
    assert await recalls.texts("Do you remember it?", kinds=frozenset({"message"})) == [
        "I remember nothing"
    ]
    assert await recalls.texts("remember") == ["I remember nothing"]
    assert await recalls.texts("What do you know about tea?") == ["Ann likes tea"]
