"""Routes in a SQL database."""

from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.auth.v1 import audit_pb2
from antiphon.dispatcher.v1.route_pb2 import Routes
from antiphon_server.routing.adapters.tables import tables, trail_outbox
from antiphon_server.routing.encoding import rule_message, rule_of
from antiphon_server.routing.model import Rule
from antiphon_server.runtime.revisions.sql import Codec, SqlRevisions
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.outbox import resource_of_parent


def _encode(rules: Sequence[Rule]) -> bytes:
    return Routes(rules=map(rule_message, rules)).SerializeToString(deterministic=True)


def _decode(stored: bytes) -> Sequence[Rule]:
    return [rule_of(it) for it in Routes.FromString(stored).rules]


def _told(parent: str, number: int) -> Mapping[str, Any]:
    resource = resource_of_parent(parent)
    return {"routes_set": audit_pb2.RoutesSet(resource=resource, revision=number)}


CODEC = Codec("routes", _encode, _decode, trail_outbox, _told)


def sql_routes(database: Database) -> SqlRevisions[Rule]:
    """The store of routes."""
    return SqlRevisions(database, tables, CODEC)
