"""How names are found to be entities, and forgotten, within a transaction.

Whoever changes a scope's entities holds the scope until the commit. One that changes its memories,
too, holds those first.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ClauseElement,
    Connection,
    and_,
    bindparam,
    delete,
    exists,
    func,
    select,
    update,
)

from antiphon_server.memory.adapters.entity_rows import digest_of, row_of
from antiphon_server.memory.adapters.tables import (
    barred_names,
    entities,
    entity_names,
    entity_scopes,
    mentions,
)
from antiphon_server.memory.named import (
    MOST_MENTIONS,
    MOST_OF_SCOPE,
    Entity,
    EntityState,
    EntityType,
    Occurrence,
    key_of,
)
from antiphon_server.memory.remembered import Memory, Origin, Source
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.storage.statements import PreparedIn, PreparedInsert

CREATOR = "services/memory"
_OF_MODEL = 0.7
Pair = tuple[str, str]
"""An entity's id and a name's key."""


@dataclass(frozen=True, slots=True)
class Owner:
    """An entity that has a name, and what is known of it."""

    entity_id: str
    root_id: str
    type: EntityType
    origin: Origin


@dataclass(frozen=True, slots=True)
class Found:
    """A name, and where it was found: in a message, or among a memory's entities."""

    occurrence: Occurrence
    source: Source | None = None
    memory_id: str = ""


def _owners_of(places: range) -> ClauseElement:
    named = entity_names.c
    found = select(
        named.key, named.entity_id, entities.c.root_id, entities.c.type, entities.c.origin
    )
    keys: list[Any] = [bindparam(f"key_{n}") for n in places]
    return found.where(
        named.scope == bindparam("scope_0"),
        named.key.in_(keys),
        entities.c.entity_id == named.entity_id,
    ).order_by(named.entity_id)


def _barred_of(places: range) -> ClauseElement:
    digests: list[Any] = [bindparam(f"digest_{n}") for n in places]
    return select(barred_names.c.digest).where(
        barred_names.c.scope == bindparam("scope_0"), barred_names.c.digest.in_(digests)
    )


def _counts_of(places: range) -> ClauseElement:
    ids: list[Any] = [bindparam(f"id_{n}") for n in places]
    counted = select(mentions.c.entity_id, func.count()).where(mentions.c.entity_id.in_(ids))
    return counted.group_by(mentions.c.entity_id)


_HOLD = PreparedInsert(
    entity_scopes,
    " ON CONFLICT (scope) DO UPDATE SET changes = memory_entity_scopes.changes + 1"
    " RETURNING changes",
)
_OWNERS, _BARRED, _COUNTS = PreparedIn(_owners_of), PreparedIn(_barred_of), PreparedIn(_counts_of)
_COUNT = select(func.count()).where(
    entities.c.scope == bindparam("b_scope"), entities.c.state != int(EntityState.DELETED)
)
_ADD = PreparedInsert(entities)
_ADD_NAMES = PreparedInsert(entity_names, " ON CONFLICT DO NOTHING")
_ADD_MENTIONS = PreparedInsert(mentions, " ON CONFLICT DO NOTHING")
_TYPE = (
    update(entities)
    .where(entities.c.entity_id == bindparam("b_id"))
    .values(type=bindparam("b_type"))
)
_BY_MEMORY = mentions.c.memory_id == bindparam("b_memory")
_OF_MEMORY = select(mentions.c.entity_id, mentions.c.key).where(_BY_MEMORY)
_IN_MESSAGES = and_(
    mentions.c.conversation_id == bindparam("b_conversation"),
    mentions.c.message_id.in_(bindparam("b_messages", expanding=True)),
)
_SCOPES_OF = select(mentions.c.scope).where(_IN_MESSAGES).distinct()
_OF_MESSAGES = select(mentions.c.entity_id, mentions.c.key).where(_IN_MESSAGES)
_THESE: Any = bindparam("b_ids", expanding=True)
_UNTOLD = delete(entity_names).where(
    entity_names.c.entity_id.in_(_THESE),
    entity_names.c.by_person.is_(False),
    ~exists().where(
        mentions.c.entity_id == entity_names.c.entity_id, mentions.c.key == entity_names.c.key
    ),
)
_ROOTS = select(entities.c.root_id).where(entities.c.entity_id.in_(_THESE)).distinct()
_NAMED = (
    select(entities.c.root_id)
    .where(entities.c.root_id.in_(_THESE), entity_names.c.entity_id == entities.c.entity_id)
    .distinct()
)
_DROP = delete(entities).where(entities.c.root_id.in_(_THESE))
_AT_ONCE = 500


def hold(connection: Connection, scope: str) -> None:
    """Hold the scope's entities for the rest of the transaction."""
    _HOLD.returned(connection, [{"scope": scope, "changes": 1}])


def owners_of(
    connection: Connection, scope: str, keys: Collection[str]
) -> Mapping[str, Sequence[Owner]]:
    """Who has names of these keys in the scope."""
    owners: dict[str, list[Owner]] = {}
    rows = _OWNERS.rows(connection, [{"scope": scope, "key": it} for it in keys])
    for key, entity_id, root_id, kind, origin in rows:
        owner = Owner(entity_id, root_id, EntityType(kind), Origin(origin))
        owners.setdefault(key, []).append(owner)
    return owners


def has_room(connection: Connection, scope: str) -> bool:
    """Whether the scope may have one more."""
    return connection.execute(_COUNT, {"b_scope": scope}).scalar_one() < MOST_OF_SCOPE


def add(connection: Connection, entity: Entity, names: Iterable[str], *, by_person: bool) -> None:
    """Write a new one, which is called all that, the first before the others."""
    _ADD.run(connection, [row_of(entity)])
    name_more(connection, entity.scope, entity.entity_id, names, by_person=by_person, first=True)


def name_more(
    connection: Connection,
    scope: str,
    entity_id: str,
    names: Iterable[str],
    *,
    by_person: bool,
    first: bool = False,
) -> None:
    """Give one names that it does not have yet."""
    rows = [
        {
            "entity_id": entity_id,
            "key": key_of(it),
            "scope": scope,
            "name": it,
            "first": first and at == 0,
            "by_person": by_person,
        }
        for at, it in enumerate(names)
    ]
    _ADD_NAMES.run(connection, rows)


def mention_in(connection: Connection, scope: str, found: Sequence[Found], now_us: int) -> None:
    """Keep where names were found: each once, and none that could mean two."""
    if not found:
        return
    hold(connection, scope)
    keys = list(dict.fromkeys(key_of(it.occurrence.name) for it in found))
    owners = {key: list(those) for key, those in owners_of(connection, scope, keys).items()}
    barred = _barred(connection, scope, keys)
    ids = [{"id": it.entity_id} for those in owners.values() for it in those]
    counts = {it: int(count) for it, count in _COUNTS.rows(connection, ids)}
    rows = []
    for it in found:
        key = key_of(it.occurrence.name)
        if not owners.get(key) and it.occurrence.tells and key not in barred:
            owners[key] = _made(connection, scope, it.occurrence, now_us)
        those = owners.get(key, [])
        if len({one.root_id for one in those}) != 1:
            continue
        owner = those[0]
        _learn(connection, owner, it.occurrence.type)
        counts[owner.entity_id] = counts.get(owner.entity_id, 0) + 1
        if counts[owner.entity_id] <= MOST_MENTIONS:
            rows.append(_row(it, scope, owner.entity_id, key, now_us))
    _ADD_MENTIONS.run(connection, rows)


def link_memory(connection: Connection, memory: Memory, now_us: int) -> None:
    """Let the names that a memory has be its entities' mentions, and no others."""
    wanted = {key_of(it): it for it in memory.entities}
    of_memory = {"b_memory": memory.memory_id}
    before = [(row[0], row[1]) for row in connection.execute(_OF_MEMORY, of_memory)]
    gone = [it for it in before if it[1] not in wanted]
    if gone:
        hold(connection, memory.scope)
        keys = [key for _, key in gone]
        connection.execute(delete(mentions).where(_BY_MEMORY, mentions.c.key.in_(keys)), of_memory)
        clean(connection, {it for it, _ in gone})
    known = {key for _, key in before}
    new = [Found(_told(memory, name), None, memory.memory_id)
           for key, name in wanted.items() if key not in known]  # fmt: skip
    mention_in(connection, memory.scope, new, now_us)


def unlink_memory(connection: Connection, scope: str, memory_id: str) -> None:
    """Take away the mentions of a memory that is forgotten, and what it alone has told."""
    of_memory = {"b_memory": memory_id}
    before = [row[0] for row in connection.execute(_OF_MEMORY, of_memory)]
    if before:
        hold(connection, scope)
        connection.execute(delete(mentions).where(_BY_MEMORY), of_memory)
        clean(connection, set(before))


def forget_sources_in(
    connection: Connection, conversation_id: str, message_ids: Collection[str]
) -> None:
    """Take away mentions in these messages, and names that nothing else has told."""
    for scope in sorted(scopes_in(connection, conversation_id, message_ids)):
        hold(connection, scope)
    for there in _portions(conversation_id, message_ids):
        affected = {row[0] for row in connection.execute(_OF_MESSAGES, there)}
        connection.execute(delete(mentions).where(_IN_MESSAGES), there)
        clean(connection, affected)


def scopes_in(
    connection: Connection, conversation_id: str, message_ids: Collection[str]
) -> Collection[str]:
    """The scopes of what is mentioned in these messages."""
    found = set[str]()
    for there in _portions(conversation_id, message_ids):
        found.update(connection.execute(_SCOPES_OF, there).scalars())
    return found


def _portions(conversation_id: str, message_ids: Collection[str]) -> Iterable[dict[str, Any]]:
    every = list(message_ids)
    for start in range(0, len(every), _AT_ONCE):
        part = every[start : start + _AT_ONCE]
        yield {"b_conversation": conversation_id, "b_messages": part}


def clean(connection: Connection, entity_ids: Collection[str]) -> None:
    """Take away these entities' names that nobody tells any more, and those without a name."""
    every = list(entity_ids)
    for start in range(0, len(every), _AT_ONCE):
        these = {"b_ids": every[start : start + _AT_ONCE]}
        connection.execute(_UNTOLD, these)
        roots = set(connection.execute(_ROOTS, these).scalars())
        named = set(connection.execute(_NAMED, {"b_ids": list(roots)}).scalars())
        connection.execute(_DROP, {"b_ids": list(roots - named)})


def bar(connection: Connection, scope: str, keys: Iterable[str]) -> None:
    """Let rules make no entity of these names again."""
    rows = [{"scope": scope, "digest": digest_of(scope, it)} for it in keys]
    PreparedInsert(barred_names, " ON CONFLICT DO NOTHING").run(connection, rows)


def unbar(connection: Connection, scope: str, keys: Iterable[str]) -> None:
    """A person has given these names themselves."""
    digests = [digest_of(scope, it) for it in keys]
    connection.execute(
        delete(barred_names).where(
            barred_names.c.scope == scope, barred_names.c.digest.in_(digests)
        )
    )


def _barred(connection: Connection, scope: str, keys: Sequence[str]) -> Collection[str]:
    by_digest = {digest_of(scope, it): it for it in keys}
    rows = _BARRED.rows(connection, [{"scope": scope, "digest": it} for it in by_digest])
    return {by_digest[bytes(digest)] for (digest,) in rows}


def _made(connection: Connection, scope: str, it: Occurrence, now_us: int) -> list[Owner]:
    """An entity of that name; none if the scope has too many."""
    if not has_room(connection, scope):
        return []
    kind = it.type if it.type is not EntityType.NONE else EntityType.OTHER
    entity = Entity(
        new_id("ent"),
        scope,
        kind,
        it.name,
        confidence=it.confidence,
        origin=it.origin,
        creator=CREATOR,
        updater=CREATOR,
        etag=new_id("etag"),
        create_us=now_us,
        update_us=now_us,
    )
    add(connection, entity, [it.name], by_person=False)
    return [Owner(entity.entity_id, entity.entity_id, kind, it.origin)]


def _learn(connection: Connection, owner: Owner, kind: EntityType) -> None:
    """What was nothing in particular is that, unless a person says what it is."""
    tells = kind not in (EntityType.NONE, EntityType.OTHER)
    if tells and owner.type is EntityType.OTHER and owner.origin is not Origin.PERSON:
        connection.execute(_TYPE, {"b_id": owner.entity_id, "b_type": int(kind)})


def _told(memory: Memory, name: str) -> Occurrence:
    """A name that a memory has: rules name too much to make entities of all of it."""
    confidence = 1.0 if memory.origin is Origin.PERSON else _OF_MODEL
    tells = memory.origin is not Origin.RULES
    return Occurrence(memory.scope, name, EntityType.NONE, tells, confidence, memory.origin)


def _row(it: Found, scope: str, entity_id: str, key: str, now_us: int) -> dict[str, Any]:
    source = it.source
    return {
        "mention_id": new_id("mnt"),
        "scope": scope,
        "entity_id": entity_id,
        "key": key,
        "name": it.occurrence.name,
        "conversation_id": source.conversation_id if source else "",
        "message_id": source.message_id if source else "",
        "start": it.occurrence.start,
        "end": it.occurrence.end,
        "memory_id": it.memory_id,
        "confidence": it.occurrence.confidence,
        "create_us": now_us,
    }
