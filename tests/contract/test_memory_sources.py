"""Every store finds memories by their sources, and refuses sources that are erased."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon_server.memory.adapters.sql_entities import SqlEntities
from antiphon_server.memory.adapters.sql_extractions import SqlExtractions
from antiphon_server.memory.adapters.sql_memories import SqlMemories
from antiphon_server.memory.adapters.sql_pruning import SqlPruning
from antiphon_server.memory.adapters.sql_sources import SqlSources
from antiphon_server.memory.adapters.tables import memories, trail_outbox
from antiphon_server.memory.extracting import Candidate, Utterance, extract
from antiphon_server.memory.memories.finding import RuleFinder
from antiphon_server.memory.memories.forgetting import Forgetting
from antiphon_server.memory.model import ConversationId, KeptMessage, KeptMessages, MessageId, Said
from antiphon_server.memory.named import Entity, EntityType, Occurrence
from antiphon_server.memory.pruning.model import PruningRule, Retention
from antiphon_server.memory.remembered import Kind, ListWish, Memory, Origin, Source, State
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.outbox import SqlOutbox
from tests.e2e.refusals import Refused
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, memories.metadata)
HERE, THERE = ConversationId("conv_00000001"), ConversationId("conv_00000002")
ANN, NOW_US = "users/user_0000000ann", 1_700_000_000_000_000
FIRST, SECOND = MessageId("msg_00000001"), MessageId("msg_00000002")
NOTE = Memory(
    "mem_00000001",
    ANN,
    Kind.NOTE,
    "the key is under the mat",
    sources=(Source(HERE, FIRST),),
    creator=ANN,
    etag="etag_1",
    create_us=NOW_US,
    update_us=NOW_US,
)


@dataclass
class World:
    """A store; ``said`` is what can be read of the messages that stay."""

    database: Database
    said: dict[MessageId, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.memories = SqlMemories(self.database)
        self.extractions = SqlExtractions(self.database)
        sources, rules = SqlSources(self.database), RuleFinder(self)
        self.sources = sources
        self.forgetting = Forgetting(sources, self.memories, self, rules)  # type: ignore[arg-type]

    async def names_of(self, user_ids: Collection[UserId]) -> Mapping[UserId, str]:
        """See :class:`Names`."""
        return {UserId(ANN.removeprefix("users/")): "Ann"}

    async def messages(self, places: Sequence[object], *, in_context: bool = False) -> KeptMessages:
        """See :class:`Conversations`."""
        kept = {
            it: KeptMessage(Said(it, ANN, NOW_US, text), HERE, b"")
            for it, text in self.said.items()
        }
        return KeptMessages(kept, {})

    async def hear(self, message_id: MessageId, text: str, after: str) -> None:
        """Have rules find what is said."""
        self.said[message_id] = text
        found: list[tuple[MessageId, Candidate]] = [
            (message_id, it) for it in extract(Utterance(text, ANN, "Ann", NOW_US))
        ]
        before = (await self.extractions.cursors([HERE])).get(HERE, "")
        assert await self.extractions.keep(HERE, before, after, found, NOW_US)

    async def erase(self, *those: MessageId) -> None:
        """Erase messages."""
        for it in those:
            self.said.pop(it, None)
        await self.forgetting.forget(HERE, those, ANN)

    async def known(self) -> list[Memory]:
        """What is in use."""
        return list(await self.memories.list(ListWish(ANN), "", 100))


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


async def test_what_comes_from_erased_messages_alone_is_forgotten(world: World) -> None:
    """With its versions; whoever put it, and the trail is told in whose name."""
    put = (await world.memories.put(NOTE, None)).memory
    later = replace(put, text="the key is elsewhere", version=2, etag="etag_2")
    assert await world.memories.replace(later, "etag_1")
    await world.erase(FIRST)
    left = await world.memories.get(NOTE.memory_id)
    assert left is not None
    assert (left.state, left.text, left.sources) == (State.FORGOTTEN, "", ())
    assert await world.memories.versions(NOTE.memory_id, 1 << 30, 10) == []
    ((_, entry),) = await SqlOutbox(world.database, trail_outbox).first(0, 10)
    (event,) = RecordSecurityEventsRequest.FromString(entry.body).events
    assert (event.actor, event.memory_forgotten.memory_id) == (ANN, NOTE.memory_id)


async def test_it_is_erased_again_without_a_change(world: World) -> None:
    """What was forgotten is told once."""
    await world.memories.put(NOTE, None)
    await world.erase(FIRST)
    await world.erase(FIRST)
    assert len(await SqlOutbox(world.database, trail_outbox).first(0, 10)) == 1


async def test_nothing_is_put_any_more_that_comes_from_it(world: World) -> None:
    """Neither by people nor by rules that had read it before."""
    await world.erase(FIRST)
    with Refused(Reason.MEMORY_SOURCE_INVALID):
        await world.memories.put(NOTE, None)
    await world.hear(FIRST, "I live in Lyon.", "c1")
    assert await world.known() == []
    elsewhere = replace(NOTE, sources=(Source(THERE, FIRST),))
    await world.memories.put(elsewhere, None)
    assert len(await world.known()) == 1


async def test_what_rules_found_in_others_too_is_made_anew(world: World) -> None:
    """Of the words that stay; without one that says it, it is forgotten."""
    await world.hear(FIRST, "I live in LYON these days.", "c1")
    await world.hear(SECOND, "I live in Lyon.", "c2")
    (before,) = await world.known()
    assert {it.message_id for it in before.sources} == {FIRST, SECOND}
    await world.erase(FIRST)
    (after,) = await world.known()
    assert (after.memory_id, after.text) == (before.memory_id, "Ann lives in Lyon")
    assert {it.message_id for it in after.sources} == {SECOND}
    assert await world.memories.versions(after.memory_id, 1 << 30, 10) == []
    await world.erase(SECOND)
    assert await world.known() == []


async def test_what_people_wrote_of_several_loses_the_source(world: World) -> None:
    """Its words stay, its versions don't; what a model made of them is forgotten."""
    both = (Source(HERE, FIRST), Source(HERE, SECOND))
    await world.memories.put(replace(NOTE, sources=both), None)
    made = replace(NOTE, memory_id="mem_00000002", text="guessed", origin=Origin.MODEL)
    await world.memories.put(replace(made, sources=both), None)
    await world.erase(FIRST)
    (left,) = await world.known()
    assert (left.memory_id, left.text) == (NOTE.memory_id, NOTE.text)
    assert left.sources == (Source(HERE, SECOND),)


async def test_a_note_without_a_source_stays(world: World) -> None:
    """Nobody can tell what led to it."""
    await world.memories.put(replace(NOTE, sources=()), None)
    await world.erase(FIRST)
    assert len(await world.known()) == 1


async def test_no_name_is_learnt_of_what_was_erased_since_it_was_read(world: World) -> None:
    """Nor a fact; what others say is kept."""
    await world.erase(FIRST)
    names = [
        (it, Occurrence(ANN, name, EntityType.PERSON, True, 1.0))
        for it, name in ((FIRST, "Bob"), (SECOND, "Eve"))
    ]
    assert await world.extractions.keep(HERE, "", "c1", (), NOW_US, names)
    assert await SqlEntities(world.database).names_in(ANN) == ["Eve"]
    await world.sources.close_whole(HERE, NOW_US)
    more = [(MessageId("msg_00000003"), replace(names[0][1], name="Mallory"))]
    assert await world.extractions.keep(HERE, "c1", "c2", (), NOW_US, more)
    assert await SqlEntities(world.database).names_in(ANN) == ["Eve"]


async def test_a_scopes_rule_is_forgotten_with_it(world: World) -> None:
    """Nothing is pruned by it any more."""
    pruning = SqlPruning(world.database)
    rule = Retention(PruningRule(older_than_us=1), ANN, NOW_US)
    for scope in (ANN, "users/user_0000000bob"):
        await pruning.set_retention(scope, rule, NOW_US)
    await world.forgetting.forget_scope(ANN, ANN)
    assert await pruning.retention(ANN) is None
    assert await pruning.retention("users/user_0000000bob") == rule


@pytest.mark.parametrize("kind", ["conversation", "workspace"])
async def test_nothing_is_put_any_more_where_all_is_forgotten(world: World, kind: str) -> None:
    """No memory, no name, no rule; what was there is gone, and elsewhere all is as it was."""
    pruning, entities = SqlPruning(world.database), SqlEntities(world.database)
    rule = Retention(PruningRule(older_than_us=1), ANN, NOW_US)
    rex = Entity("ent_00000001", "", EntityType.OTHER, "Rex", creator=ANN, etag="etag_1")
    gone, reason = f"{kind}s/the_00000001", Reason[f"{kind.upper()}_ERASED"]
    for number, scope in enumerate((gone, f"{kind}s/the_00000002")):
        note = replace(NOTE, memory_id=f"mem_{number}", scope=scope, sources=())
        await world.memories.put(note, None)
        await entities.create(replace(rex, entity_id=f"ent_{number}", scope=scope))
        await pruning.set_retention(scope, rule, NOW_US)
    await world.forgetting.forget_scope(gone, ANN)
    assert await pruning.retention(gone) is None
    with Refused(reason):
        await world.memories.put(replace(NOTE, memory_id="mem_3", scope=gone, sources=()), None)
    with Refused(reason):
        await entities.create(replace(rex, entity_id="ent_3", scope=gone, name="Max"))
    with Refused(reason):
        await entities.replace(replace(rex, entity_id="ent_0", scope=gone, name="Max"), "etag_1")
    with Refused(reason):
        await pruning.set_retention(gone, rule, NOW_US)
    await pruning.set_retention(gone, None, NOW_US)
    there = f"{kind}s/the_00000002"
    assert await pruning.retention(there) == rule
    more = replace(NOTE, memory_id="mem_4", scope=there, sources=(), text="more")
    assert (await world.memories.put(more, None)).changed
    assert (await entities.create(replace(rex, scope=there)))[1]


@pytest.mark.parametrize("person_first", [True, False])
async def test_what_a_person_says_of_their_own_accord_comes_from_no_message(
    world: World, person_first: bool
) -> None:
    """It stays as they wrote it when a message that said the same is erased."""
    own = replace(NOTE, sources=(), origin=Origin.PERSON)
    made = replace(NOTE, memory_id="mem_00000002", origin=Origin.MODEL, entities=("Mat",))
    made = replace(made, text="The KEY is under the mat")
    for it in (own, made) if person_first else (made, own):
        await world.memories.put(it, None)
    await world.erase(FIRST)
    (left,) = await world.known()
    assert (left.text, left.sources, left.entities) == (own.text, (), ())


async def test_what_a_restatement_added_goes_with_it(world: World) -> None:
    """A memory is found by sources that were joined to it."""
    await world.memories.put(NOTE, None)
    again = replace(NOTE, memory_id="mem_00000002", sources=(Source(HERE, SECOND),))
    assert (await world.memories.put(again, None)).merged
    await world.erase(SECOND)
    (left,) = await world.known()
    assert left.sources == NOTE.sources


async def test_what_need_not_be_refused_is_let_go(world: World) -> None:
    """Of messages that were erased long ago it is not known here."""
    await world.sources.close(HERE, [FIRST], NOW_US)
    await world.sources.forget(NOW_US + 1)
    await world.memories.put(NOTE, None)
