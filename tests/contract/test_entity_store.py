"""Every store keeps what is called how, where that is said, and what people say of it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from antiphon.auth.v1.audit_pb2 import EntityDeleted
from antiphon.auth.v1.audit_service_pb2 import RecordSecurityEventsRequest
from antiphon_server.memory.adapters.sql_entities import SqlEntities
from antiphon_server.memory.adapters.sql_extractions import SqlExtractions
from antiphon_server.memory.adapters.sql_memories import SqlMemories
from antiphon_server.memory.adapters.tables import (
    entities,
    entity_names,
    memories,
    mentions,
    trail_outbox,
)
from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.named import (
    Entity,
    EntityState,
    EntityType,
    Occurrence,
    Split,
)
from antiphon_server.memory.remembered import Kind, Memory, Origin, Source
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.outbox import SqlOutbox
from tests.e2e.refusals import Refused
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, memories.metadata)
HERE = ConversationId("conv_00000001")
ANN, BOB = "users/user_0000000ann", "users/user_0000000bob"
PERSON, PLACE, OTHER = EntityType.PERSON, EntityType.PLACE, EntityType.OTHER
NOW = 1_700_000_000_000_000
REX = Entity("ent_00000001", ANN, OTHER, "Rex", aliases=("Rexi",), creator=ANN, etag="etag_1")
LYON = Entity("ent_00000002", ANN, PLACE, "Lyon", creator=ANN, etag="etag_2")


@pytest.fixture
def store(database: Database) -> SqlEntities:
    return SqlEntities(database)


class Log:
    """A conversation's log, as rules read it."""

    def __init__(self, database: Database) -> None:
        self._store, self._at = SqlExtractions(database), 0

    async def read(
        self, *found: tuple[str, Occurrence], erased: Sequence[str] = (), scope: str = ""
    ) -> None:
        """Read on: these names are in these messages, and those were erased."""
        before, self._at = f"c{self._at}" if self._at else "", self._at + 1
        named = [(MessageId(it), occurrence) for it, occurrence in found]
        gone = [MessageId(it) for it in erased]
        assert await self._store.keep(HERE, before, f"c{self._at}", [], NOW, named, gone)


@pytest.fixture
def log(database: Database) -> Log:
    return Log(database)


def said(
    name: str, kind: EntityType = EntityType.NONE, *, tells: bool = True, scope: str = ANN
) -> Occurrence:
    """A name in a message of Ann's."""
    return Occurrence(scope, name, kind, tells, 0.9, start=3, end=3 + len(name))


async def known(store: SqlEntities, scope: str = ANN) -> list[Entity]:
    return list(await store.list(scope, (), "", 100))


async def named(store: SqlEntities, scope: str = ANN) -> list[str]:
    return sorted(" ".join(it.names) for it in await known(store, scope))


async def test_one_is_made_once_and_found_by_any_of_its_names(store: SqlEntities) -> None:
    """Whatever their case and accents; its own scope alone has it."""
    assert await store.create(REX) == (REX, False)
    made, existed = await store.create(replace(REX, entity_id="ent_00000003", name="REX"))
    assert (made.entity_id, existed) == (REX.entity_id, True)
    await store.create(replace(LYON, name="Zoë"))
    assert await store.get(ANN, REX.entity_id) == REX
    assert await store.get(BOB, REX.entity_id) is None
    for query, name in (("REXI", "Rex"), ("exi", "Rex"), ("zoe", "Zoë")):
        assert [it.name for it in await store.search(ANN, query, (), 10)] == [name]
    assert await store.search(ANN, "rex", [PLACE], 10) == []
    assert await store.search(BOB, "rex", (), 10) == []
    assert [it.name for it in await store.list(ANN, [PLACE], "", 10)] == ["Zoë"]
    with Refused(Reason.ALREADY_EXISTS):
        await store.create(replace(LYON, entity_id="ent_00000004", name="Max", aliases=("rex",)))


async def test_rules_make_one_of_names_that_tell_and_mention_it(
    store: SqlEntities, log: Log
) -> None:
    """Each place once; what was nothing in particular may turn out to be a place."""
    await log.read(("msg_1", said("Lyon", OTHER)), ("msg_2", said("Nice", tells=False)))
    await log.read(("msg_1", said("Lyon")), ("msg_3", said("LYON", PLACE, tells=False)))
    (lyon,) = await known(store)
    assert (lyon.name, lyon.type, lyon.origin) == ("Lyon", PLACE, Origin.RULES)
    assert (lyon.mention_count, lyon.confidence) == (2, 0.9)
    found = await store.mentions(ANN, lyon.entity_id, "", 10)
    assert [(it.name, it.source) for it in found] == [
        ("LYON", Source(HERE, MessageId("msg_3"), 3, 7)),
        ("Lyon", Source(HERE, MessageId("msg_1"), 3, 7)),
    ]
    assert await store.mentions(ANN, lyon.entity_id, found[1].mention_id, 10) == []
    assert await store.mentions(BOB, lyon.entity_id, "", 10) == []


async def test_a_memorys_names_are_linked_as_long_as_it_has_them(
    database: Database, store: SqlEntities
) -> None:
    """Those of rules make nothing new; one that is forgotten leaves nothing."""
    kept = SqlMemories(database)
    one = Memory("mem_00000001", ANN, Kind.FACT, "Rex barks", entities=("Rex",), etag="a")
    await kept.put(one, None)
    await kept.put(replace(one, memory_id="mem_00000002", text="Olives", entities=("Olives",),
                           origin=Origin.RULES), None)  # fmt: skip
    (rex,) = await known(store)
    assert (rex.name, rex.type, rex.origin) == ("Rex", OTHER, Origin.PERSON)
    (mention,) = await store.mentions(ANN, rex.entity_id, "", 10)
    assert (mention.memory_id, mention.source) == ("mem_00000001", None)
    assert await kept.replace(replace(one, entities=("Max",), version=2, etag="b"), "a")
    assert await named(store) == ["Max"]
    await kept.forget("mem_00000001", NOW)
    assert await known(store) == []
    for table in (entities, entity_names, mentions):
        assert await database.read(lambda it, of=table: it.execute(of.select()).all()) == []  # type: ignore[misc]


async def test_what_was_erased_takes_its_mentions_and_the_names_that_it_told(
    store: SqlEntities, log: Log
) -> None:
    """What a person has said stays, and so does what is said elsewhere; whoever is asked."""
    await store.create(REX)
    await log.read(("msg_1", said("Rex")), ("msg_1", said("Lyon")), ("msg_2", said("Lyon")))
    await store.forget_sources(HERE, [MessageId("msg_1")])
    assert await named(store) == ["Lyon", "Rex Rexi"]
    assert sorted(it.mention_count for it in await known(store)) == [0, 1]
    await log.read(("msg_3", said("Nice")), erased=["msg_2", "msg_3"])
    assert await named(store) == ["Rex Rexi"]
    await store.forget_scope(ANN)
    assert await known(store) == []


async def test_a_correction_outlives_what_is_said_later(store: SqlEntities, log: Log) -> None:
    """The type that a person has said, and a name that they have taken away."""
    await log.read(("msg_1", said("Rex", OTHER)))
    (rex,) = await known(store)
    new = replace(rex, name="Max", aliases=(), type=PERSON, origin=Origin.PERSON, etag="new")
    assert not await store.replace(new, "old")
    assert await store.replace(new, rex.etag)
    await log.read(
        ("msg_1", said("Rex")), ("msg_2", said("Rex", PLACE)), ("msg_2", said("Max", PLACE))
    )
    (found,) = await known(store)
    assert (found.names, found.type, found.mention_count) == (("Max",), PERSON, 1)
    await store.create(replace(REX, aliases=()))
    await log.read(("msg_3", said("Rex")))
    assert [it.mention_count for it in await known(store)] == [1, 1]
    with Refused(Reason.ALREADY_EXISTS):
        await store.replace(replace(new, aliases=("Rex",)), "new")


async def test_what_is_deleted_is_not_made_again(
    database: Database, store: SqlEntities, log: Log
) -> None:
    """By rules, whatever is said; the audit trail knows which one, not how it was called."""
    await log.read(("msg_1", said("Rex")))
    (rex,) = await known(store)
    left = await store.delete(ANN, rex.entity_id, NOW)
    assert left is not None
    assert (left.state, left.names, left.creator) == (EntityState.DELETED, ("",), "")
    assert await store.delete(ANN, rex.entity_id, NOW + 1) == left
    assert await store.delete(BOB, rex.entity_id, NOW) is None
    await log.read(("msg_1", said("Rex")), ("msg_2", said("REX")))
    assert await known(store) == []
    ((_, entry),) = await SqlOutbox(database, trail_outbox).first(0, 10)
    (event,) = RecordSecurityEventsRequest.FromString(entry.body).events
    assert event.entity_deleted == EntityDeleted(resource=ANN, entity_id=rex.entity_id)


async def test_what_is_merged_is_one_until_it_is_split(store: SqlEntities, log: Log) -> None:
    """With what was merged into it; what was found of it meanwhile is its own."""
    for one in (REX, LYON, replace(LYON, entity_id="ent_00000003", name="Lugdunum")):
        await store.create(one)
    await store.merge(ANN, LYON.entity_id, "ent_00000003", ANN, NOW)
    for _ in range(2):
        both = await store.merge(ANN, REX.entity_id, LYON.entity_id, ANN, NOW)
    assert (both.name, set(both.aliases)) == ("Rex", {"Rexi", "Lyon", "Lugdunum"})
    assert {(it.entity_id, it.name) for it in both.merged} == {
        (LYON.entity_id, "Lyon"),
        ("ent_00000003", "Lugdunum"),
    }
    await log.read(("msg_1", said("Lugdunum")), ("msg_2", said("Rex")))
    (one,) = await known(store)
    assert (one.entity_id, one.mention_count) == (REX.entity_id, 2)
    merged = await store.get(ANN, LYON.entity_id)
    assert merged is not None
    assert (merged.state, merged.merged_into) == (EntityState.MERGED, REX.entity_id)
    with Refused(Reason.ENTITY_NOT_ACTIVE):
        await store.delete(ANN, LYON.entity_id, NOW)
    apart = Split(merged_entity_id=LYON.entity_id)
    with Refused(Reason.ETAG_MISMATCH):
        await store.split(ANN, REX.entity_id, apart, "other", ANN, NOW)
    for _ in range(2):
        rex, lyon = await store.split(ANN, REX.entity_id, apart, "", ANN, NOW)
        assert (rex.names, rex.mention_count, rex.merged) == (("Rex", "Rexi"), 1, ())
        assert (lyon.names, lyon.mention_count) == (("Lyon", "Lugdunum"), 1)
    with Refused(Reason.NOT_FOUND):
        await store.merge(ANN, REX.entity_id, "ent_00000009", ANN, NOW)
    with Refused(Reason.INVALID_ARGUMENT):
        await store.split(ANN, REX.entity_id, Split("ent_00000003"), "", ANN, NOW)


async def test_names_and_mentions_become_one_of_their_own(store: SqlEntities, log: Log) -> None:
    """What was taken is not put together again, and a name that two have tells nothing more."""
    await store.create(REX)
    await log.read(("msg_1", said("Rexi")), ("msg_2", said("Rex")), ("msg_3", said("Rex")))
    left, rexi = await store.split(ANN, REX.entity_id, Split(names=("rexi",)), "", ANN, NOW)
    assert (left.names, left.mention_count) == (("Rex",), 2)
    assert (rexi.names, rexi.mention_count) == (("Rexi",), 1)
    newest = (await store.mentions(ANN, REX.entity_id, "", 10))[0]
    what = Split(mention_ids=(newest.mention_id,))
    left, other = await store.split(ANN, REX.entity_id, what, "", ANN, NOW)
    assert (left.names, left.mention_count) == (("Rex",), 1)
    assert (other.names, other.mention_count) == (("Rex",), 1)
    await log.read(("msg_3", said("Rex")), ("msg_4", said("Rex")), ("msg_5", said("Rexi")))
    assert sorted(it.mention_count for it in await known(store)) == [1, 1, 2]
    for nothing in (Split(names=("Rex",)), Split(names=("Max",)), what):
        with Refused(Reason.INVALID_ARGUMENT):
            await store.split(ANN, REX.entity_id, nothing, "", ANN, NOW)


@pytest.mark.parametrize("name", ["Lyon", "Rex"])
async def test_nothing_is_taken_apart_into_what_has_no_name(store: SqlEntities, name: str) -> None:
    """Of two that were merged, one may have lost its names meanwhile: they stay one."""
    for one in (replace(REX, aliases=()), LYON):
        await store.create(one)
    await store.merge(ANN, REX.entity_id, LYON.entity_id, ANN, NOW)
    await store.split(ANN, REX.entity_id, Split(names=(name,)), "", ANN, NOW)
    before = await known(store)
    with Refused(Reason.INVALID_ARGUMENT):
        await store.split(ANN, REX.entity_id, Split(LYON.entity_id), "", ANN, NOW)
    assert await known(store) == before
    assert await named(store) == ["Lyon", "Rex"]


async def test_other_names_are_those_of_the_scopes_that_are_asked(store: SqlEntities) -> None:
    """Another user's have no influence."""
    await store.create(REX)
    await store.create(replace(REX, entity_id="ent_00000003", scope=BOB, aliases=("Max",)))
    assert await store.other_names([ANN], ["rex", "rexi", "max"]) == {
        "rex": ["Rexi"],
        "rexi": ["Rex"],
    }
    assert await store.other_names([BOB], ["rex"]) == {"rex": ["Max"]}
    assert await store.other_names(["users/user_0000000cat"], ["rex"]) == {}
    assert sorted(await store.names_in(ANN)) == ["Rex", "Rexi"]


@pytest.mark.parametrize("bound", ["_MOST_LOOKED_IN", "_MOST_OWNERS"])
async def test_of_too_many_scopes_the_first_are_asked(
    store: SqlEntities, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    """The caller's own come first, whatever order they are stored in."""
    monkeypatch.setattr(f"antiphon_server.memory.adapters.sql_entities.{bound}", 1)
    await store.create(REX)
    await store.create(replace(REX, entity_id="ent_00000003", scope=BOB, aliases=("Max",)))
    assert await store.other_names([BOB, ANN], ["rex"]) == {"rex": ["Max"]}
    assert await store.other_names([ANN, BOB], ["rex"]) == {"rex": ["Rexi"]}


async def test_a_scope_has_a_bound(
    store: SqlEntities, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People are told; what rules find beyond it is left out."""
    monkeypatch.setattr("antiphon_server.memory.adapters.mentioning.MOST_OF_SCOPE", 1)
    await log.read(("msg_1", said("Lyon")), ("msg_1", said("Nice")))
    assert await named(store) == ["Lyon"]
    with Refused(Reason.LIMIT_EXCEEDED):
        await store.create(REX)
