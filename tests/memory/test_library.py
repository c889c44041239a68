"""The index of a server keeps up with what is said."""

import asyncio
import random

import pytest

from antiphon.events.v1 import event_service_pb2
from antiphon_server.memory.adapters import logs
from antiphon_server.memory.index import Query
from antiphon_server.memory.model import ConversationId
from antiphon_server.memory.search import library
from antiphon_server.runtime.errors import DomainError, Reason
from tests.context.stand_ins import ANN
from tests.context.world import World
from tests.e2e.until import until
from tests.memory.search_world import Search, search_on


async def test_what_was_said_before_a_search_is_found_by_it(search: Search) -> None:
    """The first search reads all there is, each later one what is new, at the first try."""
    here = await search.world.conversation()
    for number in range(20):
        await search.world.post(here, f"heron {number:04}")
        assert (await search.find(f"{number:04}"))[0] == f"heron {number:04}"
    assert len(await search.find("heron")) == 10


async def test_each_of_two_servers_finds_what_was_said_at_the_other(search: Search) -> None:
    """Nobody has to be told: a search looks where the logs end."""
    here = await search.world.conversation()
    async with search_on(search.world) as other:
        for number in range(5):
            await search.world.post(here, f"otter {number:04}")
            assert (await search.find(f"{number:04}"))[0] == f"otter {number:04}"
            assert await search.find(f"{number:04}") == await other.find(f"{number:04}")


async def test_what_is_said_while_others_search_is_found_by_who_searches_then(
    search: Search,
) -> None:
    """A conversation that is being read is read once more for who asked later."""
    here = await search.world.conversation()
    await search.world.post(here, "first")
    search.logs.may_read.clear()
    early = asyncio.create_task(search.find("first"))
    await until(lambda: bool(search.logs.read_of))
    await search.world.post(here, "second")
    late = asyncio.create_task(search.find("second"))
    await asyncio.sleep(0.01)
    search.logs.may_read.set()
    assert ((await early)[0], (await late)[0]) == ("first", "second")


async def test_a_log_that_was_trimmed_leaves_what_was_said_findable(search: Search) -> None:
    """Both for a server that had read it, and for one that reads it first."""
    here = await search.world.conversation()
    for number in range(4):
        await search.world.post(here, f"heron {number}")
    assert len(await search.find("heron")) == 4
    trim = event_service_pb2.TrimRequest(scope=f"conversations/{here}", before_offset=4)
    await search.world.log_service.stub.Trim(trim)
    await search.world.post(here, "heron last")
    assert len(await search.find("heron")) == 5
    async with search_on(search.world) as other:
        assert len(await other.find("heron")) == 5


async def test_a_log_that_is_trimmed_beyond_what_was_read_is_read_anew(search: Search) -> None:
    """A server that was away for so long knows all, and nothing twice."""
    here = await search.world.conversation()
    await search.world.post(here, "heron 0")
    assert len(await search.find("heron")) == 1
    for number in range(1, 6):
        await search.world.post(here, f"heron {number}")
    trim = event_service_pb2.TrimRequest(scope=f"conversations/{here}", before_offset=5)
    await search.world.log_service.stub.Trim(trim)
    assert len(await search.find("heron")) == 6


async def test_a_log_that_was_rebuilt_is_read_anew(search: Search) -> None:
    """What stands in it no more is found no more, at once."""
    here = await search.world.conversation()
    await search.world.post(here, "the old heron")
    assert await search.find("heron") == ["the old heron"]
    await search.world.rebuild(here)
    assert await search.find("heron") == []
    await search.world.post(here, "a new heron")
    assert await search.find("heron") == ["a new heron"]


async def test_beyond_its_bound_what_was_used_longest_ago_is_given_up(world: World) -> None:
    """It is read again when it is searched again; nothing of it stays."""
    async with search_on(world, max_bytes=1) as search:
        first, second = [await world.conversation() for _ in range(2)]
        for it in (first, second):
            await world.post(it, f"heron of {it}")
        await search.brought(first)
        search.clock.now += 61
        await search.brought(second)
        assert search.library.conversations == 1
        assert await search.library.search(Query("heron"), [ConversationId(first)]) == []
        search.clock.now += 61
        assert (await search.brought(first)).conversation_ids == [first]


async def test_what_is_in_use_is_not_given_up_for_what_has_no_room(world: World) -> None:
    """Who has more than fits searches what fits, and is told each time that there is more."""
    async with search_on(world, max_bytes=1) as search:
        both = [await world.conversation() for _ in range(2)]
        for it in both:
            await world.post(it, f"heron of {it}")
        first = await search.find("heron")
        for _ in range(3):
            answer = await search.answer("heron")
            assert [it.excerpt.text for it in answer.hits] == first
            assert (answer.searched, answer.pending, answer.more) == (1, 0, True)
            search.clock.now += 61  # it would have no room later either
        assert sorted(search.logs.read_of) == sorted(both)  # each once


async def test_of_what_has_no_room_the_first_is_kept(world: World) -> None:
    """What somebody says in a new conversation, or again in an old one, takes an older one's."""
    async with search_on(world, max_bytes=1) as search:
        those = [await world.conversation() for _ in range(3)]
        for it in those:
            await world.post(it, "heron")
        for newest in (0, 1, 2, 2, 0):
            those.insert(0, those.pop(newest))
            brought = await search.brought(*those, asker=ANN)
            assert (brought.conversation_ids, brought.pending) == (those[:1], 0)
            assert brought.left_out == 2


async def test_a_long_one_without_room_is_not_read_again_and_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given up at its first page, and its reader reads something else."""
    monkeypatch.setattr(logs, "PAGE", 2)
    async with search_on(world, max_bytes=1) as search:
        here, long = [await world.conversation() for _ in range(2)]
        await world.post(here, "heron")
        for number in range(7):
            await world.post(long, f"heron {number}")
        await search.brought(here)
        brought = await search.brought(here, long)
        assert (brought.conversation_ids, brought.pending, brought.left_out) == ([here], 0, 1)
        assert search.logs.read_of.count(ConversationId(long)) == 1
        assert search.library.waiting == 0


async def test_who_holds_most_of_the_index_makes_room_for_others(world: World) -> None:
    """However busy they keep it; who holds little of it finds what they look for."""
    async with search_on(world, max_bytes=150_000) as search:
        theirs = [await _with_rare_words(world, 6) for _ in range(6)]
        mine = await _with_rare_words(world, 2)
        for _ in range(2):
            brought = await search.brought(*theirs, asker="users/many")
        assert 0 < len(brought.conversation_ids) < 6
        assert brought.left_out > 0
        assert (await search.brought(mine, asker="users/mine")).conversation_ids == [mine]
        await search.brought(*theirs, asker="users/many")
        assert (await search.brought(mine, asker="users/mine")).conversation_ids == [mine]
        assert search.library.size_bytes <= 150_000


async def test_of_a_very_long_conversation_the_newest_is_searched(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As much as a fourth of the index has room for; the answer says that there is more."""
    monkeypatch.setattr(library, "LEAST_BYTES", 0)
    async with search_on(world, max_bytes=120_000) as search:
        here = await world.conversation()
        for number in range(12):
            await world.post(here, f"heron{number} " + _rare_words(number))
        answer = await search.answer("heron11")
        assert answer.hits[0].text.startswith("heron11")
        assert answer.more
        assert await search.find("heron0") == []
        assert search.library.size_bytes <= 30_000


def _rare_words(seed: int) -> str:
    choice = random.Random(seed)
    return " ".join(f"{choice.getrandbits(64):x}" for _ in range(20))


async def _with_rare_words(world: World, messages: int) -> str:
    """A conversation whose words nobody else has: some 5 KB of the index each message."""
    here = await world.conversation()
    for _ in range(messages):
        await world.post(here, _rare_words(random.getrandbits(64)))
    return here


async def test_a_conversation_that_cannot_be_read_is_pending_and_keeps_nobody_away(
    search: Search, caplog: pytest.LogCaptureFixture
) -> None:
    """The store's failures and defects alike; the next search tries again."""
    here = await search.world.conversation()
    await search.world.post(here, "heron")
    for failure in (DomainError(Reason.STORE_UNAVAILABLE), ValueError("a defect")):
        search.logs.failing = failure
        answer = await search.answer("heron")
        assert (answer.hits, answer.searched, answer.pending) == ([], 0, 1)
    assert "a defect" in caplog.text
    search.logs.failing = None
    assert await search.find("heron") == ["heron"]
    await search.world.post(here, "another heron")
    search.logs.failing = DomainError(Reason.STORE_UNAVAILABLE)
    assert (await search.answer("heron")).pending == 1  # it would not be up to now
    search.logs.failing = None
    assert len(await search.find("heron")) == 2


async def test_a_search_that_is_cancelled_leaves_the_reading_going_on(search: Search) -> None:
    """Who searches after it finds all, and nothing waits any more."""
    here = await search.world.conversation()
    await search.world.post(here, "heron")
    search.logs.may_read.clear()
    searches = [asyncio.create_task(search.find("heron")) for _ in range(5)]
    await until(lambda: bool(search.logs.read_of))
    for each in searches:
        each.cancel()
    await asyncio.wait(searches)
    assert all(it.cancelled() for it in searches)
    search.logs.may_read.set()
    assert await search.find("heron") == ["heron"]
    assert search.library.waiting == 0


async def test_what_takes_too_long_goes_on_without_who_asked(search: Search) -> None:
    """It is pending, and there for a later search."""
    here = await search.world.conversation()
    await search.world.post(here, "heron")
    search.logs.may_read.clear()
    brought = await search.brought(here, wait_s=0.01)
    assert (brought.conversation_ids, brought.pending) == ([], 1)
    search.logs.may_read.set()
    assert (await search.brought(here)).conversation_ids == [here]


async def test_somebody_elses_many_conversations_keep_nobody_waiting(search: Search) -> None:
    """Who has one to be read has it after a few turns, not behind the many."""
    mine, *many = [await search.world.conversation() for _ in range(60)]
    search.logs.may_read.clear()
    theirs = asyncio.create_task(search.brought(*many, asker="users/many"))
    await until(lambda: bool(search.logs.read_of))
    own = asyncio.create_task(search.brought(mine, asker="users/mine"))
    await asyncio.sleep(0)
    search.logs.may_read.set()
    await own
    assert search.logs.read_of.index(ConversationId(mine)) < 15
    assert len((await theirs).conversation_ids) == 59


async def test_a_long_conversation_has_its_turns_and_no_more(search: Search) -> None:
    """Between two pages of it others are read."""
    long, *short = [await search.world.conversation() for _ in range(8)]
    for _ in range(3):
        await asyncio.gather(*(search.world.post(long, "heron") for _ in range(500)))
    brought = await search.brought(long, *short)
    assert len(brought.conversation_ids) == 8
    pages = [at for at, it in enumerate(search.logs.read_of) if it == long]
    assert len(pages) == 2


async def test_after_its_end_nothing_is_begun(world: World) -> None:
    """Who searches a server that stops is told so."""
    async with search_on(world) as search:
        here = await world.conversation()
        await search.brought(here)
    with pytest.raises(DomainError) as refused:
        await search.library.search(Query("heron"), [ConversationId(here)])
    assert refused.value.reason is Reason.SERVICE_UNAVAILABLE
