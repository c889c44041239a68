"""The contract's messages <-> the types of anomalies."""

from collections.abc import Mapping
from dataclasses import fields

from google.protobuf.message import Message

from antiphon.context.v1 import anomaly_pb2
from antiphon_server.anomalies.model import (
    EFFECT_S,
    NAMES,
    THROTTLED_PER_MINUTE,
    About,
    Detector,
    Effect,
    Flag,
    Key,
    Kind,
    Newer,
)
from antiphon_server.runtime.revisions.model import Revision
from antiphon_server.runtime.rpc.times import timestamp

_KINDS: Mapping[str, type] = {name: kind for kind, name in NAMES.items()}
_SECOND_NS = 1_000_000_000


def detector_of(message: anomaly_pb2.Detector) -> Detector:
    """Decode a detector; what it leaves out has its default."""
    return Detector(
        message.name,
        _kind_of(message),
        About(message.subject or About.USER),
        message.window.ToNanoseconds() / _SECOND_NS,
        message.threshold or 1.0,
        Effect(message.effect or Effect.NONE),
        message.effect_duration.ToNanoseconds() / _SECOND_NS or EFFECT_S,
        message.throttle_per_minute or THROTTLED_PER_MINUTE,
        message.disabled,
    )


def _kind_of(message: anomaly_pb2.Detector) -> Kind:
    name = message.WhichOneof("kind")
    if name is None:
        return Newer()
    said = getattr(message, name)
    kind: Kind = _KINDS[name](**{field.name: value for field, value in said.ListFields()})
    return kind


def detector_message(it: Detector) -> anomaly_pb2.Detector:
    """Encode a detector, without what has its default."""
    message = anomaly_pb2.Detector(
        name=it.name,
        subject=anomaly_pb2.AnomalySubject.ValueType(it.about),
        effect=anomaly_pb2.FlagEffect.ValueType(it.effect),
        disabled=it.disabled,
    )
    if it.threshold != 1:
        message.threshold = it.threshold
    if it.window_s:
        message.window.FromNanoseconds(round(it.window_s * _SECOND_NS))
    if it.effect_s != EFFECT_S:
        message.effect_duration.FromNanoseconds(round(it.effect_s * _SECOND_NS))
    if it.throttle_per_minute != THROTTLED_PER_MINUTE:
        message.throttle_per_minute = it.throttle_per_minute
    if not isinstance(it.kind, Newer):
        _put_kind(getattr(message, NAMES[type(it.kind)]), it.kind)
    return message


def _put_kind(message: Message, kind: Kind) -> None:
    message.SetInParent()
    for field in fields(kind):
        value = getattr(kind, field.name)
        if value != field.default:
            setattr(message, field.name, value)


def detectors_message(it: Revision[Detector]) -> anomaly_pb2.Detectors:
    """Encode the detectors of a parent as they were."""
    message = anomaly_pb2.Detectors(
        parent=it.parent,
        detectors=map(detector_message, it.rules),
        revision=it.number,
        creator=it.creator,
        comment=it.comment,
    )
    if it.created_us:
        message.create_time.CopyFrom(timestamp(it.created_us))
    return message


def flag_message(it: Flag) -> anomaly_pb2.Flag:
    """Encode a flag."""
    message = anomaly_pb2.Flag(
        flag_id=it.flag_id,
        parent=it.key.parent,
        detector=it.key.detector,
        kind=it.kind,
        subject=it.key.subject,
        user=it.user,
        workspace_id=it.workspace_id,
        conversation_id=it.conversation_id,
        score=it.score,
        evidence=it.evidence,
        count=it.count,
        effect=anomaly_pb2.FlagEffect.ValueType(it.effect),
        throttle_per_minute=it.throttle_per_minute,
        cleared_by=it.cleared_by,
        clear_reason=it.reason,
    )
    times = {
        "first_time": it.first_us,
        "last_time": it.last_us,
        "effect_end_time": it.effect_end_us,
        "clear_time": it.cleared_us,
        "change_time": it.changed_us,
    }
    for name, at_us in times.items():
        if at_us:
            getattr(message, name).CopyFrom(timestamp(at_us))
    return message


def flag_of(it: anomaly_pb2.Flag) -> Flag:
    """Decode a flag."""
    return Flag(
        it.flag_id,
        Key(it.parent, it.detector, it.subject),
        it.kind,
        it.user,
        it.workspace_id,
        it.conversation_id,
        it.score,
        dict(it.evidence),
        it.count,
        it.first_time.ToMicroseconds(),
        it.last_time.ToMicroseconds(),
        Effect(it.effect),
        it.effect_end_time.ToMicroseconds(),
        it.throttle_per_minute,
        it.change_time.ToMicroseconds(),
        it.clear_time.ToMicroseconds(),
        it.cleared_by,
        it.clear_reason,
    )
