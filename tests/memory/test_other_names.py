"""A search that names one by one of its names finds what is said by the others."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from antiphon_server.memory.adapters.conversations import ContextConversations
from antiphon_server.memory.adapters.sql_entities import SqlEntities
from antiphon_server.memory.adapters.sql_memories import SqlMemories
from antiphon_server.memory.adapters.tables import metadata
from antiphon_server.memory.entities.expanding import Expanding, with_other_names
from antiphon_server.memory.model import RecallWish
from antiphon_server.memory.named import Entity, EntityType, OtherNames
from antiphon_server.memory.search.recalling import Recalling
from antiphon_server.memory.search.searching import Searching
from antiphon_server.memory.search.shelf import Shelf
from antiphon_server.runtime.encoding.ids import new_id
from tests.context.stand_ins import ANN, BOB, SERVICE
from tests.fakes.databases import opened_sqlite
from tests.memory.search_world import Search, person, wish, worker


@dataclass
class Named:
    """Search that knows what entities are called."""

    search: Search
    searching: Searching
    recalling: Recalling
    entities: SqlEntities

    async def call(self, scope: str, *names: str) -> None:
        """Let something have these names."""
        one = Entity(new_id("ent"), scope, EntityType.OTHER, names[0], aliases=names[1:])
        await self.entities.create(one)

    async def find(self, query: str, user: str = ANN) -> list[str]:
        """What somebody finds."""
        answer = await self.searching.search(person(user), wish(query))
        return [it.excerpt.text for it in answer.hits]


@pytest.fixture
async def named(search: Search) -> AsyncIterator[Named]:
    async with opened_sqlite(metadata) as database:
        entities, store = SqlEntities(database), SqlMemories(database)
        world, expanding = search.world, Expanding(entities)
        conversations = ContextConversations(world.client(SERVICE))
        searching = Searching(conversations, world.accounts, search.library, expanding=expanding)
        shelf = Shelf(store, world.accounts, search.library)
        recalling = Recalling(
            conversations, store, search.library, shelf, searching, expanding=expanding
        )
        yield Named(search, searching, recalling, entities)


async def test_an_alias_finds_the_other_names(named: Named) -> None:
    """All words of a name have to be there, and the excerpt shows them."""
    here = await named.search.world.conversation(ANN)
    for text in ("We flew to New York City", "A new bike", "NYC is loud"):
        await named.search.world.post(here, text)
    assert await named.find("NYC") == ["NYC is loud"]
    await named.call(f"users/{ANN}", "NYC", "New York City")
    assert set(await named.find("what of nyc")) == {"NYC is loud", "We flew to New York City"}
    assert set(await named.find("New York City")) >= {"NYC is loud", "We flew to New York City"}
    answer = await named.searching.search(person(ANN), wish("NYC"))
    flown = next(it for it in answer.hits if "flew" in it.excerpt.text)
    assert [flown.excerpt.text[a:b] for a, b in flown.excerpt.highlights] == ["New", "York", "City"]
    recalled = await named.recalling.recall(person(ANN), RecallWish("NYC", 10))
    assert {it.item.text for it in recalled.recalled} >= {"NYC is loud", "We flew to New York City"}


async def test_another_users_names_have_no_influence(named: Named) -> None:
    """Neither on what is found nor on its scores; a workspace's count for whoever reads there."""
    world = named.search.world
    lab = (await world.workspace(ANN)).workspace_id
    here = await world.conversation(ANN, workspace_id=lab)
    for text in ("Rex barks", "Fido sleeps"):
        await world.post(here, text)
    before = await named.searching.search(person(ANN), wish("Rex"))
    await named.call(f"users/{BOB}", "Rex", "Fido")
    after = await named.searching.search(person(ANN), wish("Rex"))
    assert [(it.excerpt.text, it.score) for it in after.hits] == [
        (it.excerpt.text, it.score) for it in before.hits
    ]
    await named.call(f"workspaces/{lab}", "Rex", "Fido")
    assert set(await named.find("Rex")) == {"Rex barks", "Fido sleeps"}
    assert await named.find("Rex", BOB) == []


async def test_a_turns_worker_looks_in_its_conversation_alone(named: Named) -> None:
    """What its user calls things elsewhere is none of its business."""
    world = named.search.world
    lab = (await world.workspace(ANN)).workspace_id
    here = await world.conversation(ANN, workspace_id=lab)
    await world.say(here, "Fido sleeps", turn_id="turn_00000001")
    for scope in (f"users/{ANN}", f"workspaces/{lab}"):
        await named.call(scope, "Rex", "Fido")
    by_grant = worker(ANN, here, lab)
    assert (await named.searching.search(by_grant, wish("Rex"))).hits == []
    await named.call(f"conversations/{here}", "Rex", "Fido")
    (hit,) = (await named.searching.search(by_grant, wish("Rex"))).hits
    assert hit.excerpt.text == "Fido sleeps"


async def test_of_a_query_a_few_names_are_looked_up(named: Named) -> None:
    """The longest first, and none of its words twice; a word that is no name stands for itself."""
    own = f"users/{ANN}"
    await named.call(own, "Anna Maria Weber", "Anni", "anni")
    for at in range(12):
        await named.call(own, f"N{at}", f"M{at}")
    expanding = Expanding(named.entities)
    asked = "anna maria weber and " + " ".join(f"n{at}" for at in range(12))
    found = await expanding.expanded(asked, [own])
    assert len(found) == 8
    assert found[0] == OtherNames(("anna", "maria", "weber"), (("anni",),))
    assert with_other_names("Q", found[:1]) == "Q anni"
    assert await expanding.expanded("nothing of that", [own]) == []
    assert await expanding.expanded(asked, []) == ()
