"""Detectors in a SQL database."""

from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.auth.v1 import audit_pb2
from antiphon.context.v1.anomaly_pb2 import Detectors
from antiphon_server.anomalies.adapters.tables import tables, trail_outbox
from antiphon_server.anomalies.encoding import detector_message, detector_of
from antiphon_server.anomalies.model import Detector
from antiphon_server.runtime.revisions.sql import Codec, SqlRevisions
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.trail.outbox import resource_of_parent


def _encode(detectors: Sequence[Detector]) -> bytes:
    message = Detectors(detectors=map(detector_message, detectors))
    return message.SerializeToString(deterministic=True)


def _decode(stored: bytes) -> Sequence[Detector]:
    return [detector_of(it) for it in Detectors.FromString(stored).detectors]


def _told(parent: str, number: int) -> Mapping[str, Any]:
    resource = resource_of_parent(parent)
    return {"detectors_set": audit_pb2.DetectorsSet(resource=resource, revision=number)}


CODEC = Codec("detectors", _encode, _decode, trail_outbox, _told)


def sql_detectors(database: Database) -> SqlRevisions[Detector]:
    """The store of detectors."""
    return SqlRevisions(database, tables, CODEC)
