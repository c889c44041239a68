"""GetSpending's messages <-> the domain's types."""

from datetime import date, timedelta

from antiphon.integration.v1 import budget_service_pb2 as pb
from antiphon.integration.v1 import model_pb2, spending_pb2
from antiphon_server.integration.budgets.model import Parent
from antiphon_server.integration.budgets.spending import Asked
from antiphon_server.integration.budgets.spent import Key, Spent
from antiphon_server.integration.money_encoding import encoded
from antiphon_server.runtime.rpc.times import micros_of

_FIRST = date(1970, 1, 1)


def asked(request: pb.GetSpendingRequest, parent: Parent) -> Asked:
    """What is asked. Raises DomainError INVALID_ARGUMENT for an invalid time."""
    return Asked(
        parent,
        micros_of(request, "start_time"),
        micros_of(request, "end_time"),
        frozenset(map(Key, request.group_by)),
        request.time_zone,
        request.page_size,
        request.page_token,
    )


def spending(it: Spent, keys: frozenset[Key]) -> spending_pb2.Spending:
    """What a group took."""
    group, usage = it.group, it.usage
    return spending_pb2.Spending(
        day=(_FIRST + timedelta(days=group.day)).isoformat() if Key.DAY in keys else "",
        target=group.target,
        kind=model_pb2.CallKind.ValueType(group.kind),
        user_id=group.user_id,
        conversation_id=group.conversation_id,
        workspace_id=group.workspace_id,
        api_key_id=group.api_key_id,
        calls=it.ended,
        usage=model_pb2.Usage(
            estimated=usage.estimated,
            cost=None if usage.cost is None else encoded(usage.cost),
            **usage.quantities._asdict(),
        ),
        costs=map(encoded, it.costs),
        unpriced_calls=it.unpriced,
        open_calls=it.running,
        reserved=map(encoded, it.held),
        reserved_tokens=it.held_tokens,
    )
