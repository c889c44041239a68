"""The contract's entities <-> memory's own types."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from antiphon.memory.v1 import entity_pb2 as pb
from antiphon.memory.v1 import entity_service_pb2 as service_pb
from antiphon.memory.v1.memory_pb2 import MemoryOrigin
from antiphon_server.memory.encoding.memories import source_message
from antiphon_server.memory.named import Entity, EntityType, Mention, Split
from antiphon_server.runtime.rpc.times import timestamp

MASKED = ("name", "aliases", "type")
"""The fields that can be corrected."""


def said_of(message: pb.Entity, scope: str) -> Entity:
    """What a caller says of a new entity."""
    return Entity("", scope, EntityType(message.type), message.name, aliases=tuple(message.aliases))


def corrected(before: Entity, message: pb.Entity, paths: Collection[str]) -> Entity:
    """An entity with the fields of the message that are named; its old name is an alias."""
    said = said_of(message, before.scope)
    new: dict[str, Any] = {path: getattr(said, path) for path in paths}
    if "name" in new and "aliases" not in new and new["name"] != before.name:
        new["aliases"] = tuple(it for it in before.names if it != new["name"])
    return replace(before, **new)


def entity_message(entity: Entity) -> pb.Entity:
    """Encode an entity."""
    return pb.Entity(
        entity_id=entity.entity_id,
        scope=entity.scope,
        type=pb.EntityType.ValueType(entity.type),
        state=pb.EntityState.ValueType(entity.state),
        name=entity.name,
        aliases=entity.aliases,
        confidence=entity.confidence,
        origin=MemoryOrigin.ValueType(entity.origin),
        mention_count=entity.mention_count,
        merged=[
            pb.MergedEntity(
                entity_id=it.entity_id,
                name=it.name,
                merger=it.merger,
                merge_time=timestamp(it.merge_us),
            )
            for it in entity.merged
        ],
        merged_into=entity.merged_into,
        creator=entity.creator,
        updater=entity.updater,
        etag=entity.etag,
        create_time=timestamp(entity.create_us),
        update_time=timestamp(entity.update_us),
    )


def mention_message(mention: Mention) -> pb.Mention:
    """Encode a mention."""
    return pb.Mention(
        mention_id=mention.mention_id,
        entity_id=mention.entity_id,
        name=mention.name,
        source=source_message(mention.source) if mention.source is not None else None,
        memory_id=mention.memory_id,
        confidence=mention.confidence,
        create_time=timestamp(mention.create_us),
    )


def split_of(request: service_pb.SplitEntityRequest) -> Split:
    """What is to be taken from one."""
    return Split(request.merged_entity_id, tuple(request.names), tuple(request.mention_ids))


def types_of(types: Collection[int]) -> list[EntityType]:
    """The types that are asked for."""
    return [EntityType(it) for it in types]
