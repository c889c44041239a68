"""Rows <-> entities. An entity is all that was merged into it: those rows have one root."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ClauseElement, Connection, bindparam, func, select

from antiphon_server.memory.adapters.tables import entities, entity_names, mentions
from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.named import Entity, EntityState, EntityType, Mention, Merged
from antiphon_server.memory.remembered import Origin, Source
from antiphon_server.runtime.storage.statements import PreparedIn


def _asked(places: range) -> list[Any]:
    return [bindparam(f"id_{n}") for n in places]


def _members(places: range) -> ClauseElement:
    found = select(entities).where(entities.c.root_id.in_(_asked(places)))
    return found.order_by(entities.c.entity_id)


def _names(places: range) -> ClauseElement:
    named = entity_names.c
    found = select(named.entity_id, named.key, named.name, named.first)
    return found.where(named.entity_id.in_(_asked(places))).order_by(named.key)


def _counts(places: range) -> ClauseElement:
    found = select(mentions.c.entity_id, func.count())
    found = found.where(mentions.c.entity_id.in_(_asked(places)))
    return found.group_by(mentions.c.entity_id)


_MEMBERS, _NAMES, _COUNTS = PreparedIn(_members), PreparedIn(_names), PreparedIn(_counts)
_COLUMNS = tuple(entities.c.keys())
_AT_ONCE = 1024
Names = Sequence[tuple[str, str, bool]]
"""Key, name, and whether it is before aliases."""


def groups_of(connection: Connection, root_ids: Sequence[str]) -> Mapping[str, Entity]:
    """The entities of these roots, with all that was merged into each."""
    rows = [
        dict(zip(_COLUMNS, it, strict=True)) for it in _in_parts(_MEMBERS, connection, root_ids)
    ]
    ids = [row["entity_id"] for row in rows]
    names: dict[str, list[tuple[str, str, bool]]] = {}
    for entity_id, key, name, first in _in_parts(_NAMES, connection, ids):
        names.setdefault(entity_id, []).append((key, name, bool(first)))
    counts = {it: int(count) for it, count in _in_parts(_COUNTS, connection, ids)}
    members: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        members.setdefault(row["root_id"], []).append(row)
    return {it: _entity(it, members[it], names, counts) for it in root_ids if it in members}


def alone(row: Mapping[str, Any], names: Names, count: int) -> Entity:
    """What one row is by itself."""
    first, *others = (*_ordered(names), "")
    aliases = tuple(it for it in others if it)
    return Entity(
        entity_id=row["entity_id"],
        scope=row["scope"],
        type=EntityType(row["type"]),
        name=first,
        aliases=aliases,
        state=EntityState(row["state"]),
        merged_into=row["merged_into"],
        confidence=row["confidence"],
        origin=Origin(row["origin"]),
        mention_count=count,
        creator=row["creator"],
        updater=row["updater"],
        etag=row["etag"],
        create_us=row["create_us"],
        update_us=row["update_us"],
    )


def row_of(entity: Entity) -> dict[str, Any]:
    """The row of a new one."""
    return {
        "entity_id": entity.entity_id,
        "scope": entity.scope,
        "root_id": entity.entity_id,
        "merged_into": "",
        "merger": "",
        "merge_us": 0,
        "type": int(entity.type),
        "state": int(entity.state),
        "confidence": entity.confidence,
        "origin": int(entity.origin),
        "creator": entity.creator,
        "updater": entity.updater,
        "etag": entity.etag,
        "create_us": entity.create_us,
        "update_us": entity.update_us,
    }


def mention_of(row: Any) -> Mention:
    """The mention of a row."""
    source = None
    if row.message_id:
        where = ConversationId(row.conversation_id), MessageId(row.message_id)
        source = Source(*where, row.start, row.end)
    return Mention(
        row.mention_id,
        row.entity_id,
        row.name,
        source,
        row.memory_id,
        row.confidence,
        row.create_us,
    )


def digest_of(scope: str, key: str) -> bytes:
    """What tells a name that was taken away, and not what it was."""
    return hashlib.sha256(f"{scope}\n{key}".encode()).digest()


def _entity(
    root_id: str,
    members: Sequence[Mapping[str, Any]],
    names: Mapping[str, list[tuple[str, str, bool]]],
    counts: Mapping[str, int],
) -> Entity:
    own = next(it for it in members if it["entity_id"] == root_id)
    others = [it for it in members if it is not own]
    every = list(names.get(root_id, ()))
    every += [
        (key, name, False) for it in others for key, name, _ in names.get(it["entity_id"], ())
    ]
    merged = [
        Merged(
            it["entity_id"],
            next(iter(_ordered(names.get(it["entity_id"], ()))), ""),
            it["merger"],
            it["merge_us"],
        )
        for it in others
    ]
    count = sum(counts.get(it["entity_id"], 0) for it in members)
    return replace(alone(own, every, count), merged=tuple(merged))


def _ordered(names: Collection[tuple[str, str, bool]]) -> Sequence[str]:
    """Each once: what it is called first, then the others as they come."""
    different = dict[str, str]()
    for key, name, _ in sorted(names, key=lambda it: not it[2]):
        different.setdefault(key, name)
    return list(different.values())


def _in_parts(statement: PreparedIn, connection: Connection, ids: Sequence[str]) -> list[Any]:
    items = [{"id": it} for it in ids]
    found: list[Any] = []
    for start in range(0, len(items), _AT_ONCE):
        found += statement.rows(connection, items[start : start + _AT_ONCE])
    return found
