"""The contract's messages <-> the types of filters."""

from collections.abc import Mapping, Sequence

from google.protobuf.message import Message

from antiphon.context.v1 import filter_pb2
from antiphon_server.filters.model import (
    DEFAULT_STAGES,
    TIMEOUT_S,
    Action,
    Filter,
    Injection,
    Kind,
    Newer,
    Origin,
    Payload,
    PersonalData,
    Remote,
    Repetition,
    Screening,
    Secrets,
    Stage,
    Terms,
    Verdict,
)
from antiphon_server.runtime.errors import invalid
from antiphon_server.runtime.revisions.model import Revision
from antiphon_server.runtime.rpc.times import timestamp

MOST_BYTES = 256 * 1024
"""So large all filters of a parent may be: a hundred revisions are kept."""
MOST_REASON = 512
"""Characters of why something waits for people."""
_KINDS: Mapping[str, type] = {
    "secrets": Secrets,
    "personal_data": PersonalData,
    "terms": Terms,
    "payload": Payload,
    "repetition": Repetition,
    "injection": Injection,
    "remote": Remote,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def filters_of(messages: Sequence[filter_pb2.Filter]) -> tuple[Filter, ...]:
    """Decode a parent's. Raises DomainError INVALID_ARGUMENT: too large."""
    size = sum(it.ByteSize() for it in messages)
    if size > MOST_BYTES:
        raise invalid("filters", f"are {size} bytes, more than {MOST_BYTES}")
    return tuple(map(filter_of, messages))


def filter_of(message: filter_pb2.Filter) -> Filter:
    """Decode a filter."""
    timeout_s = message.timeout.ToNanoseconds() / 1e9 or TIMEOUT_S
    return Filter(
        message.name,
        Action(message.action),
        _kind_of(message),
        frozenset(map(Stage, message.stages)) or DEFAULT_STAGES,
        timeout_s,
        message.on_failure == filter_pb2.FILTER_FAILURE_OPEN,
        message.disabled,
    )


def _kind_of(message: filter_pb2.Filter) -> Kind:
    name = message.WhichOneof("kind")
    if name is None:
        return Newer()
    said = getattr(message, name)
    values = {field.name: getattr(said, field.name) for field in said.DESCRIPTOR.fields}
    plain = {key: it if isinstance(it, str) else tuple(it) for key, it in values.items()}
    kind: Kind = _KINDS[name](**plain)
    return kind


def filter_message(it: Filter) -> filter_pb2.Filter:
    """Encode a filter."""
    message = filter_pb2.Filter(
        name=it.name,
        action=filter_pb2.FilterAction.ValueType(it.action),
        on_failure=filter_pb2.FILTER_FAILURE_OPEN
        if it.fails_open
        else filter_pb2.FILTER_FAILURE_CLOSED,
        disabled=it.disabled,
    )
    if it.stages != DEFAULT_STAGES:
        message.stages.extend(map(filter_pb2.FilterStage.ValueType, sorted(it.stages)))
    if it.timeout_s != TIMEOUT_S:
        message.timeout.FromNanoseconds(round(it.timeout_s * 1e9))
    if not isinstance(it.kind, Newer):
        _put_kind(getattr(message, _NAMES[type(it.kind)]), it.kind)
    return message


def _put_kind(said: Message, kind: Kind) -> None:
    said.SetInParent()
    for name in kind.__slots__:
        value = getattr(kind, name)
        if isinstance(value, str):
            setattr(said, name, value)
        else:
            getattr(said, name).extend(value)


def filters_message(it: Revision[Filter]) -> filter_pb2.Filters:
    """Encode the filters of a parent as they were."""
    message = filter_pb2.Filters(
        parent=it.parent,
        filters=map(filter_message, it.rules),
        revision=it.number,
        creator=it.creator,
        comment=it.comment,
    )
    if it.created_us:
        message.create_time.CopyFrom(timestamp(it.created_us))
    return message


def verdict_message(it: Verdict) -> filter_pb2.FilterVerdict:
    """Encode a verdict."""
    return filter_pb2.FilterVerdict(
        parent=it.parent,
        filter=it.filter,
        action=filter_pb2.FilterAction.ValueType(it.action),
        categories=it.categories,
        found=it.found,
        failure=it.failure,
    )


def held_for(it: Verdict) -> str:
    """Why a person has to look at something, in words."""
    return f"Filter {it.filter} has found {', '.join(it.categories)}."[:MOST_REASON]


def screening_message(it: Screening) -> filter_pb2.Screening:
    """Encode what came of something."""
    return filter_pb2.Screening(
        screening_id=it.screening_id,
        workspace_id=it.origin.workspace_id,
        conversation_id=it.origin.conversation_id,
        stage=filter_pb2.FilterStage.ValueType(it.origin.stage),
        author=it.origin.author,
        turn_id=it.origin.turn_id,
        tool_call_id=it.origin.tool_call_id,
        action=filter_pb2.FilterAction.ValueType(it.action),
        refused=it.refused,
        verdicts=map(verdict_message, it.verdicts),
        create_time=timestamp(it.created_us),
    )


def screening_of(message: filter_pb2.Screening) -> Screening:
    """Decode what came of something."""
    origin = Origin(
        message.workspace_id,
        message.conversation_id,
        Stage(message.stage),
        message.author,
        message.turn_id,
        message.tool_call_id,
    )
    verdicts = tuple(
        Verdict(it.parent, it.filter, Action(it.action), tuple(it.categories), it.found, it.failure)
        for it in message.verdicts
    )
    created_us = message.create_time.ToMicroseconds()
    action = Action(message.action)
    return Screening(message.screening_id, origin, action, message.refused, verdicts, created_us)
