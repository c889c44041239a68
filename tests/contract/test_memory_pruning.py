"""Every store puts away what nobody needs, shows it before, and brings it back."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from antiphon_server.memory.adapters.sql_extractions import SqlExtractions
from antiphon_server.memory.adapters.sql_memories import SqlMemories
from antiphon_server.memory.adapters.sql_pruning import SqlPruning
from antiphon_server.memory.adapters.sql_sources import SqlSources
from antiphon_server.memory.adapters.tables import metadata
from antiphon_server.memory.extracting import Utterance, extract
from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.pruning.model import RESTORABLE_US, Pruned, PruningRule
from antiphon_server.memory.pruning.pruning import ACTOR, MOST, Pruning
from antiphon_server.memory.remembered import Kind, ListWish, Memory, Source, State
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, metadata)
ANN, BOB = "users/user_0000000ann", "users/user_0000000bob"
HERE = ConversationId("conv_00000001")
DAY_US = 86_400 * 1_000_000
NOW_US = 1_700_000_000_000_000
OLD = PruningRule(older_than_us=90 * DAY_US)


class World:
    """Memories of Ann, and a clock that is set."""

    def __init__(self, database: Database) -> None:
        self.now_us = NOW_US
        self.memories, self.store = SqlMemories(database), SqlPruning(database)
        self.sources, self.facts = SqlSources(database), SqlExtractions(database)
        self.pruning = Pruning(self.store, lambda: self.now_us)

    async def put(self, text: str, days: int = 0, **more: object) -> Memory:
        at_us = NOW_US - days * DAY_US
        memory = Memory(
            new_id("mem"), ANN, Kind.FACT, text, etag="e", create_us=at_us, update_us=at_us
        )
        return (await self.memories.put(replace(memory, **more), None)).memory  # type: ignore[arg-type]

    async def keep(self, before: str, after: str, text: str, days: int = 0) -> None:
        """Have rules find a fact in what Ann has said."""
        at_us = NOW_US - days * DAY_US
        said = Utterance(text, ANN, "Ann", at_us)
        found = [(MessageId(f"msg_{after:0>8}"), it) for it in extract(said)]
        first = "" if before == "c0" else before
        assert await self.facts.keep(HERE, first, after, found, at_us)

    async def prune(self, rule: PruningRule, scope: str = ANN) -> list[str]:
        return told(await self.pruning.prune(scope, rule, ANN))

    async def shown(self, rule: PruningRule) -> list[str]:
        return told(await self.pruning.shown(ANN, rule))

    async def in_use(self) -> list[str]:
        return [it.text for it in await self.memories.list(ListWish(ANN), "", 100, self.now_us)]


def source(message_id: str) -> Source:
    return Source(HERE, MessageId(message_id))


def told(found: tuple[Sequence[Pruned], bool]) -> list[str]:
    return [it.memory.text for it in found[0]]


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


async def test_what_is_old_and_matters_little_is_put_away(world: World) -> None:
    """It was shown before, with why; what matters, and what was said lately, stays."""
    await world.put("old", 91)
    await world.put("new", 89)
    await world.put("important", 400, importance=0.9)
    ((shown,), more) = await world.pruning.shown(ANN, OLD)
    assert (shown.memory.text, shown.reason, more) == (
        "old",
        "unchanged for 91 days, importance 0.5",
        False,
    )
    assert sorted(await world.in_use()) == ["important", "new", "old"]
    assert await world.prune(OLD) == ["old"]
    assert sorted(await world.in_use()) == ["important", "new"]
    assert await world.shown(OLD) == await world.prune(OLD) == []


async def test_a_rule_says_which_kinds_and_how_important(world: World) -> None:
    """Both limit what is old."""
    await world.put("fact", 91)
    await world.put("note", 91, kind=Kind.NOTE)
    await world.put("trifle", 91, kind=Kind.NOTE, importance=0.1)
    assert await world.shown(replace(OLD, kinds=(Kind.NOTE,), max_importance=0.2)) == ["trifle"]
    assert len(await world.shown(replace(OLD, kinds=(Kind.NOTE,)))) == 2


async def test_what_was_superseded_goes_by_a_rule_of_its_own(world: World) -> None:
    """From the day on which another took its place, however old it is."""
    old = await world.put("lives in Lyon", 200)
    await world.put("lives in Nice", 5, supersedes=old.memory_id)
    assert await world.shown(OLD) == []
    assert await world.shown(PruningRule(superseded_for_us=6 * DAY_US)) == []
    assert await world.prune(PruningRule(superseded_for_us=5 * DAY_US)) == ["lives in Lyon"]


async def test_it_comes_back_as_it_was(world: World) -> None:
    """In use or superseded, for 30 days; told twice it is told once, and its versions are kept."""
    kept = await world.put("old", 91, entities=("Ann",))
    await world.prune(OLD)
    put_away = await world.memories.get(kept.memory_id)
    assert put_away is not None
    assert (put_away.state, put_away.expire_us) == (State.PRUNED, NOW_US + RESTORABLE_US)
    back = await world.pruning.restore(ANN, kept.memory_id, ANN)
    assert replace(back, version=1, etag="e", update_us=kept.update_us, updater="") == kept
    assert await world.pruning.restore(ANN, kept.memory_id, ANN) == back
    assert await world.in_use() == ["old"]
    assert len(await world.memories.versions(kept.memory_id, 100, 10)) == 2


async def test_it_comes_and_goes_without_leaving_versions_without_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that say no more than that give way to the bound; no text does, nor the first."""
    monkeypatch.setattr("antiphon_server.memory.adapters.version_rows.MOST_VERSIONS", 6)
    kept = await world.put("one", 91)
    for text in ("two", "three"):
        after = replace(kept, text=text, version=kept.version + 1, etag=text, update_us=NOW_US)
        assert await world.memories.replace(after, kept.etag)
        for _ in range(5):
            world.now_us += 91 * DAY_US
            assert await world.prune(OLD) == [text]
            kept = await world.pruning.restore(ANN, after.memory_id, ANN)
            assert (kept.text, kept.state) == (text, State.ACTIVE)
        assert len(await world.memories.versions(kept.memory_id, 1000, 100)) <= 6
    versions = await world.memories.versions(kept.memory_id, 1000, 100)
    assert {it.text for it in versions} == {"one", "two", "three"}
    assert (versions[-1].version, kept.version) == (1, 23)


async def test_what_can_not_come_back(world: World) -> None:
    """Another's, what there is not, what was forgotten meanwhile, and what is said anew."""
    kept = await world.put("old", 91)
    await world.prune(OLD)
    for scope, memory_id in ((BOB, kept.memory_id), (ANN, "mem_00000000")):
        with pytest.raises(DomainError) as raised:
            await world.pruning.restore(scope, memory_id, scope)
        assert raised.value.reason is Reason.NOT_FOUND
    await world.put("Old!")
    with pytest.raises(DomainError) as raised:
        await world.pruning.restore(ANN, kept.memory_id, ANN)
    assert raised.value.reason is Reason.ALREADY_EXISTS
    world.now_us += RESTORABLE_US
    with pytest.raises(DomainError) as raised:
        await world.pruning.restore(ANN, kept.memory_id, ANN)
    assert raised.value.reason is Reason.NOT_FOUND


async def test_it_comes_back_without_what_was_erased_meanwhile(world: World) -> None:
    """What a person wrote of several messages keeps its words, and its time."""
    sources = (source("msg_00000001"), source("msg_00000002"))
    kept = await world.put("old", 91, sources=sources, expire_us=NOW_US + 60 * DAY_US)
    await world.prune(OLD)
    pruned = await world.memories.get(kept.memory_id)
    assert pruned is not None
    left = replace(pruned, sources=sources[1:])
    assert await world.sources.settle(pruned, left, NOW_US, ANN)
    back = await world.pruning.restore(ANN, kept.memory_id, ANN)
    assert (back.state, back.expire_us) == (State.ACTIVE, kept.expire_us)
    assert (back.text, back.sources) == ("old", sources[1:])


async def test_a_fact_that_is_no_more_so_comes_back_as_what_it_is(world: World) -> None:
    """Another one has its place by then."""
    await world.keep("c0", "c1", "I live in Lyon.", days=91)
    await world.prune(OLD)
    await world.keep("c1", "c2", "I live in Nice.")
    (lyon,) = await world.memories.list(ListWish(ANN, (State.PRUNED,)), "", 10)
    back = await world.pruning.restore(ANN, lyon.memory_id, ANN)
    (nice,) = await world.memories.list(ListWish(ANN), "", 10)
    assert (back.state, back.superseded_by) == (State.SUPERSEDED, nice.memory_id)


async def test_what_is_said_again_is_not_old(world: World) -> None:
    """Though nothing of it changes, and though a person has corrected it."""
    kept = await world.put("old", 91)
    await world.put("old", 5)
    assert await world.shown(OLD) == []
    said = await world.memories.get(kept.memory_id)
    assert said is not None
    assert said.update_us == NOW_US - 5 * DAY_US


async def test_an_answer_has_room_for_so_much(world: World) -> None:
    """What has no room is for the next call: nothing is put away that isn't told."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("antiphon_server.memory.pruning.pruning.MOST_BYTES", 2000)
        for number in range(5):
            await world.put(f"old {number}", 91)
        found, more = await world.pruning.prune(ANN, OLD, ANN)
    assert (len(found), more) == (3, True)
    assert len(await world.shown(OLD)) == 2


async def test_it_is_forgotten_when_its_time_is_over(world: World) -> None:
    """As what expires is; what would expire sooner does so."""
    kept = await world.put("old", 91)
    sooner = await world.put("sooner", 91, expire_us=NOW_US + DAY_US)
    await world.prune(OLD)
    assert await world.memories.expired(NOW_US + DAY_US, 10) == [sooner.memory_id]
    due = await world.memories.expired(NOW_US + RESTORABLE_US, 10)
    assert set(due) == {kept.memory_id, sooner.memory_id}


async def test_a_call_puts_away_so_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says that there are more."""
    monkeypatch.setattr("antiphon_server.memory.pruning.pruning.MOST", 3)
    for number in range(5):
        await world.put(f"old {number}", 91)
    counts = []
    for _ in range(3):
        found, more = await world.pruning.prune(ANN, OLD, ANN)
        counts.append((len(found), more))
    assert counts == [(3, True), (2, False), (0, False)]
    assert MOST == 1000


async def test_others_memories_stay(world: World) -> None:
    """A rule is of one scope."""
    await world.put("old", 91)
    assert await world.prune(OLD, BOB) == []
    assert await world.in_use() == ["old"]


async def test_a_rule_that_says_nothing_is_refused(world: World) -> None:
    """It would be no rule."""
    for work in (
        world.pruning.shown(ANN, PruningRule()),
        world.pruning.prune(ANN, PruningRule(), ANN),
        world.pruning.set_retention(ANN, PruningRule(), ANN),
    ):
        with pytest.raises(DomainError) as raised:
            await work
        assert raised.value.reason is Reason.INVALID_ARGUMENT


async def test_a_scope_is_pruned_each_day_by_its_rule(world: World) -> None:
    """By one server at a time, until it has none any more."""
    await world.put("old", 91)
    retention = await world.pruning.set_retention(ANN, OLD, ANN)
    assert retention is not None
    assert (retention.setter, retention.rule) == (ANN, OLD)
    assert await world.pruning.retention(ANN) == retention
    assert await world.pruning.set_retention(ANN, OLD, BOB) == retention
    assert await world.pruning.prune_due() == 1
    pruned = (await world.memories.list(ListWish(ANN, (State.PRUNED,)), "", 10))[0]
    assert pruned.updater == ACTOR
    await world.put("older", 100)
    assert await world.pruning.prune_due() == 0
    world.now_us += DAY_US
    assert await world.pruning.prune_due() == 1
    assert await world.pruning.set_retention(ANN, None, ANN) is None
    assert await world.pruning.retention(ANN) is None
    world.now_us += 365 * DAY_US
    assert await world.pruning.prune_due() == 0
