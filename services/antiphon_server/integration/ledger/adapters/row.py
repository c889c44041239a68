"""Rows of the ledger's table <-> the domain's types."""

from typing import Any

from sqlalchemy import Row

from antiphon_server.integration.ledger.model import (
    Call,
    CallId,
    CallKind,
    Money,
    Outcome,
    Payer,
    Quantities,
    Rated,
    SettledCall,
    Settlement,
    UnsettledCall,
    Usage,
    UsageFilter,
    WorkspaceId,
)


def filter_values(wanted: UsageFilter) -> dict[str, object]:
    """The parameters of a filtered query."""
    return {
        "workspace_id": wanted.workspace_id,
        "start_us": wanted.start_us,
        "end_us": wanted.end_us,
        "turn_id": wanted.turn_id,
        "conversation_id": wanted.conversation_id,
    }


def opened_values(call: Call, owner: str) -> dict[str, Any]:
    """The row of a call that is open."""
    return {
        "call_id": call.call_id,
        "owner": owner,
        "workspace_id": call.payer.workspace_id,
        "conversation_id": call.payer.conversation_id,
        "turn_id": call.payer.turn_id,
        "user_id": call.payer.user_id,
        "api_key_id": call.payer.api_key_id,
        "kind": call.kind,
        "model": call.target,
        "start_us": call.start_us,
        "outcome": None,
        "duration_ms": 0,
        "error_reason": "",
        "provider_status": 0,
        "provider_message": "",
        **call.rated._asdict(),
        **usage_columns(call.expected),
    }


def settled_values(settlement: Settlement) -> dict[str, Any]:
    """The columns that a settlement sets."""
    return {
        "outcome": settlement.outcome.value,
        "duration_ms": settlement.duration_ms,
        "error_reason": settlement.error_reason,
        "provider_status": settlement.provider_status,
        "provider_message": settlement.provider_message,
        **usage_columns(settlement.usage),
    }


def usage_columns(usage: Usage) -> dict[str, Any]:
    """The columns of what a call consumed."""
    cost = usage.cost
    return {
        **usage.quantities._asdict(),
        "estimated": usage.estimated,
        "currency": cost.currency if cost else None,
        "cost_micros": cost.micros if cost else None,
    }


def call_of(row: Row[*tuple[Any, ...]]) -> SettledCall:
    """The settled call in a row."""
    settlement = Settlement(
        Outcome(row.outcome),
        _usage(row),
        row.duration_ms,
        row.error_reason,
        row.provider_status,
        row.provider_message,
    )
    workspace_id = WorkspaceId(row.workspace_id)
    where = workspace_id, row.conversation_id, row.turn_id
    keys = (row.api_key_id,) if row.api_key_id else ()
    payer = Payer(*where, row.user_id, keys)
    kind = CallKind(row.kind)
    return SettledCall(CallId(row.call_id), payer, kind, row.model, row.start_us, settlement)


def unsettled_of(row: Row[*tuple[Any, ...]]) -> UnsettledCall:
    """The call in a row that nobody has settled."""
    rated = Rated(*[int(getattr(row, name)) for name in Rated._fields])
    return UnsettledCall(CallId(row.call_id), _usage(row), rated)


def _usage(row: Row[*tuple[Any, ...]]) -> Usage:
    cost = Money(row.currency, row.cost_micros) if row.currency is not None else None
    return Usage(_quantities(row), row.estimated, cost)


def _quantities(row: Row[*tuple[Any, ...]]) -> Quantities:
    return Quantities(*[int(getattr(row, name)) for name in Quantities._fields])


def total_of(row: Row[*tuple[Any, ...]]) -> Usage:
    """The usage in a row of sums."""
    known = not row.unpriced and row.currency == row.other_currency
    cost = Money(row.currency or "USD", int(row.cost_micros)) if known else None
    return Usage(_quantities(row), bool(row.estimates), cost)
