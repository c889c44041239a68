"""Filters in a SQL database."""

from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.auth.v1 import audit_pb2
from antiphon.context.v1.filter_pb2 import Filters
from antiphon_server.filters.adapters.tables import tables, trail_outbox
from antiphon_server.filters.encoding import filter_message, filter_of
from antiphon_server.filters.model import Filter
from antiphon_server.runtime.revisions.sql import Codec, SqlRevisions
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.outbox import resource_of_parent


def _encode(filters: Sequence[Filter]) -> bytes:
    return Filters(filters=map(filter_message, filters)).SerializeToString(deterministic=True)


def _decode(stored: bytes) -> Sequence[Filter]:
    return [filter_of(it) for it in Filters.FromString(stored).filters]


def _told(parent: str, number: int) -> Mapping[str, Any]:
    resource = resource_of_parent(parent)
    return {"filters_set": audit_pb2.FiltersSet(resource=resource, revision=number)}


CODEC = Codec("filters", _encode, _decode, trail_outbox, _told)


def sql_filters(database: Database) -> SqlRevisions[Filter]:
    """The store of filters."""
    return SqlRevisions(database, tables, CODEC)
