"""Every store keeps what rules found together with how far they have read, once."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from antiphon_server.memory.adapters.sql_extractions import SqlExtractions
from antiphon_server.memory.adapters.sql_memories import SqlMemories
from antiphon_server.memory.adapters.tables import facts, memories
from antiphon_server.memory.extracting import Candidate, Hold, Utterance, extract
from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.remembered import Kind, ListWish, Memory, Origin, Source, State
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, memories.metadata)
HERE, THERE = ConversationId("conv_00000001"), ConversationId("conv_00000002")
ANN = "users/user_0000000ann"
NOW_US = 1_700_000_000_000_000
Found = Sequence[tuple[MessageId, Candidate]]


@pytest.fixture
def store(database: Database) -> SqlExtractions:
    return SqlExtractions(database)


@pytest.fixture
def kept(database: Database) -> SqlMemories:
    return SqlMemories(database)


def found(*texts: str) -> Found:
    """What is found in messages msg_0, msg_1 and so on, all Ann's."""
    said = [Utterance(it, ANN, "Ann", NOW_US) for it in texts]
    return [(MessageId(f"msg_{at}"), it) for at, each in enumerate(said) for it in extract(each)]


async def known(kept: SqlMemories, *states: State) -> list[Memory]:
    return list(await kept.list(ListWish(ANN, states or (State.ACTIVE,)), "", 100))


async def test_a_fact_is_kept_with_where_it_was_said(
    store: SqlExtractions, kept: SqlMemories
) -> None:
    """As a memory of its subject, put by rules."""
    assert await store.keep(HERE, "", "c1", found("Hi! I live in Lyon."), NOW_US)
    (memory,) = await known(kept)
    assert (memory.text, memory.kind, memory.origin) == (
        "Ann lives in Lyon",
        Kind.FACT,
        Origin.RULES,
    )
    assert (memory.scope, memory.subject) == (ANN, ANN)
    assert memory.sources == (Source(HERE, MessageId("msg_0"), 4, 18),)


async def test_what_is_asked_for_is_kept_as_a_note(
    store: SqlExtractions, kept: SqlMemories
) -> None:
    """Others are not replaced by it; asked for again it is the same."""
    asked = "Please remember that my car is red.", "Remember: the bins go out on Monday."
    await store.keep(HERE, "", "c1", found(*asked, asked[0]), NOW_US)
    memories = {it.text: it for it in await known(kept)}
    assert set(memories) == {"my car is red", "the bins go out on Monday"}
    note = memories["my car is red"]
    assert (note.kind, note.origin, len(note.sources)) == (Kind.NOTE, Origin.RULES, 2)


async def test_a_stretch_of_a_log_is_kept_once(store: SqlExtractions, kept: SqlMemories) -> None:
    """Whoever else has read it finds that it was."""
    assert await store.cursors([HERE]) == {}
    assert await store.keep(HERE, "", "c1", found("I live in Lyon."), NOW_US)
    assert not await store.keep(HERE, "", "c1", found("I live in Leeds."), NOW_US)
    assert await store.keep(HERE, "c1", "c2", [], NOW_US)
    assert not await store.keep(HERE, "c1", "c2", found("I live in Leeds."), NOW_US)
    assert await store.cursors([HERE, THERE]) == {HERE: "c2"}
    assert [it.text for it in await known(kept)] == ["Ann lives in Lyon"]


async def test_one_reads_a_conversation_at_a_time(store: SqlExtractions) -> None:
    """Until they are done, or their time is over."""
    assert await store.claim(HERE, NOW_US, NOW_US + 100)
    assert not await store.claim(HERE, NOW_US + 99, NOW_US + 200)
    assert await store.claim(THERE, NOW_US, NOW_US + 100)
    assert await store.claim(HERE, NOW_US + 100, NOW_US + 200)
    await store.unclaim(HERE, NOW_US + 200)
    assert await store.claim(HERE, NOW_US + 101, NOW_US + 300)


async def test_only_who_holds_a_claim_renews_it_or_lets_it_go(store: SqlExtractions) -> None:
    """Who held it before, and was slow, changes nothing."""
    assert await store.claim(HERE, NOW_US, NOW_US + 100)
    assert await store.renew(HERE, NOW_US + 100, NOW_US + 200)
    assert not await store.claim(HERE, NOW_US + 199, NOW_US + 300)
    assert await store.claim(HERE, NOW_US + 200, NOW_US + 300)
    assert not await store.renew(HERE, NOW_US + 200, NOW_US + 900)
    await store.unclaim(HERE, NOW_US + 200)
    assert not await store.claim(HERE, NOW_US + 299, NOW_US + 400)


async def test_restatements_join_their_sources(store: SqlExtractions, kept: SqlMemories) -> None:
    """In other words, and in another conversation."""
    await store.keep(HERE, "", "c1", found("I live in Lyon.", "We live in Lyon!"), NOW_US)
    await store.keep(THERE, "", "c1", found("I've moved to Lyon."), NOW_US)
    (memory,) = await known(kept)
    assert [it.conversation_id for it in memory.sources] == [HERE, HERE, THERE]


async def test_a_contradiction_supersedes_and_deletes_nothing(
    store: SqlExtractions, kept: SqlMemories
) -> None:
    """Also what is taken back."""
    await store.keep(HERE, "", "c1", found("I live in Lyon.", "I love olives."), NOW_US)
    said = found("I live in Leeds.", "I don't like olives any more.")
    await store.keep(HERE, "c1", "c2", said, NOW_US + 1)
    assert {it.text for it in await known(kept)} == {
        "Ann lives in Leeds",
        "Ann doesn't like olives",
    }
    before = await known(kept, State.SUPERSEDED)
    assert {it.text for it in before} == {"Ann lives in Lyon", "Ann likes olives"}


async def test_all_that_is_contradicted_is_superseded(
    store: SqlExtractions, kept: SqlMemories
) -> None:
    """Where somebody lived before, and that they did not live where they do now."""
    said, home = found("I used to live in Leeds.", "I live in Lyon.")
    denied = (said[0], replace(said[1], hold=Hold.NOT))
    await store.keep(HERE, "", "c1", [denied, home], NOW_US)
    assert len(await known(kept)) == 2
    await store.keep(HERE, "c1", "c2", found("I live in Leeds."), NOW_US + 1)
    (now,) = await known(kept)
    before = await known(kept, State.SUPERSEDED)
    assert [it.superseded_by for it in before] == [now.memory_id] * 2
    assert now.supersedes in {it.memory_id for it in before}


async def test_what_is_forgotten_leaves_nothing_of_it(
    database: Database, store: SqlExtractions, kept: SqlMemories
) -> None:
    """Nor is it what a later statement is compared with."""
    await store.keep(HERE, "", "c1", found("I live in Lyon."), NOW_US)
    (memory,) = await known(kept)
    await kept.forget(memory.memory_id, NOW_US + 1)
    assert await database.read(lambda it: it.execute(facts.select()).all()) == []
    await store.keep(HERE, "c1", "c2", found("I live in Leeds."), NOW_US + 2)
    assert [it.text for it in await known(kept)] == ["Ann lives in Leeds"]


async def test_what_a_person_corrected_is_not_joined_again(
    store: SqlExtractions, kept: SqlMemories
) -> None:
    """They know better than what they once said."""
    await store.keep(HERE, "", "c1", found("I live in Lyon."), NOW_US)
    (memory,) = await known(kept)
    corrected = Memory(
        memory.memory_id,
        ANN,
        Kind.FACT,
        "Ann lives near Lyon",
        subject=ANN,
        version=2,
        etag="etag_2",
    )
    assert await kept.replace(corrected, memory.etag)
    await store.keep(HERE, "c1", "c2", found("I live in Lyon."), NOW_US + 1)
    assert [(it.text, it.sources) for it in await known(kept)] == [("Ann lives near Lyon", ())]
