"""What came of deliveries, as people read it."""

from antiphon.dispatcher.v1.webhook_pb2 import (
    DELIVERY_OUTCOME_ACCESS_LOST,
    DELIVERY_OUTCOME_EGRESS_DENIED,
    DELIVERY_OUTCOME_REFUSED,
    DELIVERY_OUTCOME_SECRET_LOST,
    DELIVERY_OUTCOME_TAKEN,
    DELIVERY_OUTCOME_TIMEOUT,
    DELIVERY_OUTCOME_UNREACHABLE,
    DELIVERY_OUTCOME_UNSPECIFIED,
    DeliveryOutcome,
)
from antiphon_server.cli.kinds import name_of

_WORDS = {
    DELIVERY_OUTCOME_UNSPECIFIED: "not tried yet",
    DELIVERY_OUTCOME_TAKEN: "taken",
    DELIVERY_OUTCOME_REFUSED: "not taken",
    DELIVERY_OUTCOME_TIMEOUT: "no answer within 15 s",
    DELIVERY_OUTCOME_UNREACHABLE: "no connection, or it broke",
    DELIVERY_OUTCOME_EGRESS_DENIED: "calls to that address are not allowed from there",
    DELIVERY_OUTCOME_SECRET_LOST: "the secret doesn't open; `antiphon webhooks rotate` makes one",
    DELIVERY_OUTCOME_ACCESS_LOST: "not posted: whose webhook it is may not read that any more",
}


def came_back(outcome: DeliveryOutcome.ValueType, status: int) -> str:
    """What came of an attempt."""
    said = _WORDS.get(outcome) or name_of(DeliveryOutcome, "DELIVERY_OUTCOME_", outcome)
    return f"{said}: HTTP status {status}" if status else said
