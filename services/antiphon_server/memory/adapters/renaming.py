"""How people make, correct, merge, split and delete entities, within a transaction."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from antiphon.auth.v1 import audit_pb2
from antiphon_server.memory.adapters.entity_rows import alone, groups_of
from antiphon_server.memory.adapters.mentioning import (
    add,
    bar,
    clean,
    has_room,
    hold,
    name_more,
    owners_of,
    unbar,
)
from antiphon_server.memory.adapters.source_rows import check_scope
from antiphon_server.memory.adapters.tables import entities, entity_names, mentions, trail_outbox
from antiphon_server.memory.named import (
    MOST_MERGED,
    MOST_NAMES,
    MOST_OF_SCOPE,
    Entity,
    EntityState,
    Split,
    key_of,
)
from antiphon_server.memory.remembered import Origin
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, invalid, not_found
from antiphon_server.runtime.trail.outbox import Author

_ROW = select(entities).where(
    entities.c.entity_id == bindparam("b_id"), entities.c.scope == bindparam("b_scope")
)
_MEMBERS = select(entities.c.entity_id, entities.c.merged_into).where(
    entities.c.root_id == bindparam("b_root")
)
_THIS = update(entities).where(entities.c.entity_id == bindparam("b_id"))
_REROOT = update(entities).where(entities.c.entity_id.in_(bindparam("b_ids", expanding=True)))


def row_in(connection: Connection, scope: str, entity_id: str) -> Mapping[str, Any] | None:
    """One's row."""
    at = {"b_id": entity_id, "b_scope": scope}
    row = connection.execute(_ROW, at).mappings().one_or_none()
    return dict(row) if row is not None else None


def create_in(connection: Connection, entity: Entity) -> tuple[Entity, bool]:
    """See :meth:`EntityStore.create`."""
    check_scope(connection, entity.scope, entity.create_us)
    hold(connection, entity.scope)
    keys = [key_of(it) for it in entity.names]
    owners = owners_of(connection, entity.scope, keys)
    roots = sorted({it.root_id for those in owners.values() for it in those})
    unbar(connection, entity.scope, keys)
    if not roots:
        _check_room(connection, entity.scope)
        add(connection, entity, entity.names, by_person=entity.origin is Origin.PERSON)
        return entity, False
    if len(roots) > 1 or keys[0] not in owners:
        raise DomainError(Reason.ALREADY_EXISTS, resource=roots[0])
    new = [it for it in entity.names if key_of(it) not in owners]
    name_more(connection, entity.scope, roots[0], new, by_person=True)
    found = groups_of(connection, roots)[roots[0]]
    _check_names(len(found.names))
    return found, True


def replace_in(connection: Connection, entity: Entity, before: str) -> bool:
    """See :meth:`EntityStore.replace`."""
    check_scope(connection, entity.scope, entity.update_us)
    hold(connection, entity.scope)
    row = row_in(connection, entity.scope, entity.entity_id)
    if row is None or row["etag"] != before or row["state"] != int(EntityState.ACTIVE):
        return False
    old = groups_of(connection, [entity.entity_id])[entity.entity_id]
    had, wanted = ({key_of(name): name for name in it.names} for it in (old, entity))
    new = [key for key in wanted if key not in had]
    others = owners_of(connection, entity.scope, new)
    if others:
        taken = next(iter(others.values()))[0]
        raise DomainError(Reason.ALREADY_EXISTS, resource=taken.root_id)
    ids = _members(connection, entity.entity_id)
    _take_names(connection, entity.scope, ids, [key for key in had if key not in wanted])
    for key in wanted:
        if key in had and had[key] != wanted[key]:
            _respell(connection, ids, key, wanted[key])
    if key_of(entity.name) != key_of(old.name):
        of_root = entity_names.c.entity_id == entity.entity_id
        connection.execute(update(entity_names).where(of_root).values(first=False))
        first = of_root & (entity_names.c.key == key_of(entity.name))
        name_more(connection, entity.scope, entity.entity_id, [entity.name], by_person=True)
        connection.execute(update(entity_names).where(first).values(first=True, by_person=True))
    name_more(connection, entity.scope, entity.entity_id, map(wanted.get, new), by_person=True)  # type: ignore[arg-type]
    unbar(connection, entity.scope, new)
    changed = {
        "type": int(entity.type),
        "origin": int(entity.origin),
        "confidence": 1.0,
        "etag": entity.etag,
        "updater": entity.updater,
        "update_us": entity.update_us,
    }
    connection.execute(_THIS.values(changed), {"b_id": entity.entity_id})
    return True


def merge_in(
    connection: Connection, scope: str, entity_id: str, other_id: str, actor: str, now_us: int
) -> Entity:
    """See :meth:`EntityStore.merge`."""
    hold(connection, scope)
    one = _active(connection, scope, entity_id)
    other = row_in(connection, scope, other_id)
    if other is None:
        raise not_found(other_id)
    if other["root_id"] == entity_id:
        return groups_of(connection, [entity_id])[entity_id]
    _active(connection, scope, other_id)
    ids = _members(connection, other_id)
    if len(ids) + len(_members(connection, entity_id)) > MOST_MERGED:
        raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_MERGED} entities in one")
    connection.execute(_REROOT.values(root_id=entity_id), {"b_ids": list(ids)})
    merged = {
        "state": int(EntityState.MERGED),
        "merged_into": entity_id,
        "merger": actor,
        "merge_us": now_us,
    }
    _touch(connection, other_id, actor, now_us, **merged)
    _touch(connection, one["entity_id"], actor, now_us, origin=_origin(one, actor))
    found = groups_of(connection, [entity_id])[entity_id]
    _check_names(len(found.names))
    return found


def split_in(
    connection: Connection,
    scope: str,
    entity_id: str,
    what: Split,
    seen: str,
    actor: str,
    now_us: int,
) -> tuple[Entity, Entity]:
    """See :meth:`EntityStore.split`."""
    hold(connection, scope)
    one = _active(connection, scope, entity_id)
    if what.merged_entity_id:
        other_id = what.merged_entity_id
        if not _is_apart(connection, scope, entity_id, other_id):
            _check_seen(one, seen)
            _undo(connection, entity_id, other_id, actor, now_us)
    else:
        _check_seen(one, seen)
        other_id = _taken(connection, one, what, actor, now_us)
    _touch(connection, entity_id, actor, now_us, origin=_origin(one, actor))
    found = groups_of(connection, [entity_id, other_id])
    if not all(it in found and found[it].name for it in (entity_id, other_id)):
        if what.merged_entity_id:  # its names were taken away while both were one, or are all
            raise invalid("merged_entity_id", "one that has a name still, and leaves one")
        raise invalid("names", "fewer: nothing would be left of it")
    return found[entity_id], found[other_id]


def delete_in(scope: str, entity_id: str, now_us: int) -> Callable[[Connection], Entity | None]:
    """See :meth:`EntityStore.delete`: the work, in the name of whoever calls now."""
    by = Author(trail_outbox)

    def work(connection: Connection) -> Entity | None:
        hold(connection, scope)
        row = row_in(connection, scope, entity_id)
        if row is None or row["state"] == int(EntityState.DELETED):
            return None if row is None else alone(row, (), 0)
        _active(connection, scope, entity_id)
        ids = _members(connection, entity_id)
        named = entity_names.c.entity_id.in_(ids)
        keys = connection.execute(select(entity_names.c.key).where(named)).scalars().all()
        _take_names(connection, scope, ids, keys)
        connection.execute(delete(mentions).where(mentions.c.entity_id.in_(ids)))
        others = [it for it in ids if it != entity_id]
        connection.execute(delete(entities).where(entities.c.entity_id.in_(others)))
        nothing: dict[str, Any] = {"type": 0, "origin": 0, "confidence": 0.0, "creator": ""}
        nothing |= {"state": int(EntityState.DELETED), "update_us": now_us}
        nothing |= {"etag": "", "updater": ""}
        connection.execute(_THIS.values(nothing), {"b_id": entity_id})
        told = audit_pb2.EntityDeleted(resource=scope, entity_id=entity_id)
        kind, _, owner = scope.partition("/")
        by.note(connection, entity_deleted=told, user_id=owner if kind == "users" else "")
        return alone({**row, **nothing}, (), 0)

    return work


def _active(connection: Connection, scope: str, entity_id: str) -> Mapping[str, Any]:
    """One that is in use. Raises DomainError NOT_FOUND, ENTITY_NOT_ACTIVE."""
    row = row_in(connection, scope, entity_id)
    if row is None:
        raise not_found(entity_id)
    if row["state"] != int(EntityState.ACTIVE):
        raise DomainError(
            Reason.ENTITY_NOT_ACTIVE, entity_id=entity_id, merged_into=row["merged_into"]
        )
    return row


def _members(connection: Connection, root_id: str) -> Sequence[str]:
    """Ids of what it is made of."""
    return [row[0] for row in connection.execute(_MEMBERS, {"b_root": root_id})]


def _is_apart(connection: Connection, scope: str, entity_id: str, other_id: str) -> bool:
    """Whether what was merged was taken apart again. Raises NOT_FOUND, INVALID_ARGUMENT."""
    other = row_in(connection, scope, other_id)
    if other is None:
        raise not_found(other_id)
    if other["state"] == int(EntityState.ACTIVE) and other_id != entity_id:
        return True
    if other["root_id"] != entity_id or other_id == entity_id:
        raise invalid("merged_entity_id", "one that is merged into it")
    return False


def _undo(connection: Connection, entity_id: str, other_id: str, actor: str, now_us: int) -> None:
    """Take out what was merged, with what had been merged into that."""
    into = {row[0]: row[1] for row in connection.execute(_MEMBERS, {"b_root": entity_id})}
    below = {other_id}
    while more := {it for it, parent in into.items() if parent in below} - below:
        below |= more
    connection.execute(_REROOT.values(root_id=other_id), {"b_ids": list(below)})
    apart = {"state": int(EntityState.ACTIVE), "merged_into": "", "merger": "", "merge_us": 0}
    _touch(connection, other_id, actor, now_us, **apart)


def _taken(
    connection: Connection, one: Mapping[str, Any], what: Split, actor: str, now_us: int
) -> str:
    """A new one of some names and mentions. Raises INVALID_ARGUMENT, LIMIT_EXCEEDED."""
    scope, ids = one["scope"], _members(connection, one["entity_id"])
    _check_room(connection, scope)
    keys = [key_of(it) for it in what.names]
    of_keys = entity_names.c.entity_id.in_(ids) & entity_names.c.key.in_(keys)
    named = connection.execute(select(entity_names).where(of_keys)).all()
    meant = mentions.c.entity_id.in_(ids) & mentions.c.mention_id.in_(what.mention_ids)
    moved = connection.execute(select(mentions.c.name).where(meant)).scalars().all()
    if {it.key for it in named} != set(keys) or len(moved) != len(what.mention_ids):
        raise invalid("names" if keys else "mention_ids", "those that it has")
    new = Entity(
        new_id("ent"),
        scope,
        one["type"],
        "",
        origin=_origin(one, actor),
        creator=actor,
        updater=actor,
        etag=new_id("etag"),
        create_us=now_us,
        update_us=now_us,
    )
    spelled = {it.key: it.name for it in named}
    connection.execute(delete(entity_names).where(of_keys))
    add(connection, new, [spelled[it] for it in keys], by_person=True)
    name_more(connection, scope, new.entity_id, moved, by_person=False, first=not keys)
    theirs = mentions.c.entity_id.in_(ids) & mentions.c.key.in_(keys)
    connection.execute(update(mentions).where(meant | theirs).values(entity_id=new.entity_id))
    clean(connection, [*ids, new.entity_id])
    return new.entity_id


def _take_names(
    connection: Connection, scope: str, ids: Collection[str], keys: Collection[str]
) -> None:
    """Take names away with their mentions, so that no rule brings them back."""
    if not keys:
        return
    for table in (entity_names, mentions):
        connection.execute(delete(table).where(table.c.entity_id.in_(ids), table.c.key.in_(keys)))
    bar(connection, scope, keys)


def _respell(connection: Connection, ids: Collection[str], key: str, name: str) -> None:
    those = entity_names.c.entity_id.in_(ids) & (entity_names.c.key == key)
    connection.execute(update(entity_names).where(those).values(name=name, by_person=True))


def _touch(connection: Connection, entity_id: str, actor: str, now_us: int, **changed: Any) -> None:
    said = {"updater": actor, "update_us": now_us, "etag": new_id("etag"), **changed}
    connection.execute(_THIS.values(said), {"b_id": entity_id})


def _origin(row: Mapping[str, Any], actor: str) -> Origin:
    return Origin.PERSON if actor.startswith("users/") else Origin(row["origin"])


def _check_seen(row: Mapping[str, Any], seen: str) -> None:
    if seen not in ("", row["etag"]):
        raise DomainError(Reason.ETAG_MISMATCH, resource=row["entity_id"])


def _check_room(connection: Connection, scope: str) -> None:
    if not has_room(connection, scope):
        raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_OF_SCOPE} entities of a scope")


def _check_names(count: int) -> None:
    if count > MOST_NAMES:
        raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_NAMES} names of an entity")
