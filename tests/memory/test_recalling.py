"""What is recalled: the best of all that the caller may read, however they may read it."""

from antiphon.auth.v1.access_pb2 import ROLE_GUEST
from antiphon_server.memory.adapters.conversations import ContextConversations
from antiphon_server.memory.adapters.sql_memories import SqlMemories
from antiphon_server.memory.adapters.tables import metadata
from antiphon_server.memory.model import RecallWish
from antiphon_server.memory.search.recalling import MOST_RANKED, Recalling
from antiphon_server.memory.search.shelf import Shelf
from tests.context.stand_ins import ANN, BOB, SERVICE
from tests.fakes.databases import opened_sqlite
from tests.memory.search_world import Search, person


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
