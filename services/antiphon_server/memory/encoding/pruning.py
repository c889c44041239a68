"""The contract's pruning <-> memory's own types."""

from antiphon.memory.v1 import memory_pb2
from antiphon.memory.v1 import pruning_service_pb2 as pb
from antiphon_server.memory.encoding.memories import memory_message
from antiphon_server.memory.pruning.model import Pruned, PruningRule, Retention
from antiphon_server.memory.remembered import USUAL_IMPORTANCE, Kind
from antiphon_server.runtime.rpc.times import timestamp


def rule_of(message: pb.PruningRule) -> PruningRule:
    """Decode a rule."""
    durations = {
        name: getattr(message, field).ToMicroseconds()
        for field, name in (
            ("older_than", "older_than_us"),
            ("superseded_for", "superseded_for_us"),
        )
        if message.HasField(field)  # type: ignore[arg-type]
    }
    return PruningRule(
        max_importance=message.max_importance
        if message.HasField("max_importance")
        else USUAL_IMPORTANCE,
        kinds=tuple(Kind(it) for it in message.kinds),
        **durations,
    )


def rule_message(rule: PruningRule) -> pb.PruningRule:
    """Encode a rule."""
    message = pb.PruningRule(
        max_importance=rule.max_importance,
        kinds=[memory_pb2.MemoryKind.ValueType(it) for it in rule.kinds],
    )
    if rule.older_than_us is not None:
        message.older_than.FromMicroseconds(rule.older_than_us)
    if rule.superseded_for_us is not None:
        message.superseded_for.FromMicroseconds(rule.superseded_for_us)
    return message


def retention_of(message: pb.Retention) -> Retention:
    """Decode a scope's rule."""
    return Retention(rule_of(message.rule), message.setter, message.set_time.ToMicroseconds())


def retention_message(retention: Retention) -> pb.Retention:
    """Encode a scope's rule."""
    return pb.Retention(
        rule=rule_message(retention.rule),
        setter=retention.setter,
        set_time=timestamp(retention.set_us),
    )


def pruned_message(pruned: Pruned) -> pb.PrunedMemory:
    """Encode what was, or would be, put away."""
    return pb.PrunedMemory(memory=memory_message(pruned.memory), reason=pruned.reason)
