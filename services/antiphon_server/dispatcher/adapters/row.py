"""Turns as rows."""

from dataclasses import replace
from typing import Any

import msgspec

from antiphon_server.dispatcher.model import (
    NOT_HELD,
    ConversationId,
    Held,
    LeftOut,
    Order,
    Outcome,
    Parent,
    Policy,
    SkippedModel,
    State,
    StoredTurn,
    Tombstone,
    Turn,
    TurnId,
    Usage,
)
from antiphon_server.dispatcher.routed_model import Asks, Chosen, Routed
from antiphon_server.runtime.errors import DomainError, FieldViolation, Reason


class _Order(msgspec.Struct, omit_defaults=True):
    handler: str
    policy: int
    models: tuple[str, ...] = ()
    max_output_tokens: int = 0
    time_limit_s: float = 600.0
    parent: Parent | None = None
    route: bytes = b""
    fallback: Routed | None = None
    held: Held = NOT_HELD
    asks: Asks | None = None


class _Error(msgspec.Struct, omit_defaults=True):
    reason: str
    metadata: dict[str, str] = {}
    violations: tuple[FieldViolation, ...] = ()
    retry_after: float | None = None


class _Outcome(msgspec.Struct, omit_defaults=True):
    state: int
    error: _Error | None = None
    usage: Usage | None = None
    model: str = ""
    rolled_back: bool = False
    finish_reason: int = 0
    omitted: int = 0
    described: int = 0
    output_limit: int = 0
    withheld: int = 0
    skipped: tuple[SkippedModel, ...] = ()
    answered_by: str = ""
    beside: bool = False
    omitted_texts: int = 0


NO_WORKER = {"worker_parent": "", "worker_deployment": "", "worker_version": ""}
"""A new turn's; later they are written beside the rest of it."""

_decode_order = msgspec.json.Decoder(_Order).decode
_decode_outcome = msgspec.json.Decoder(_Outcome).decode
_encode = msgspec.json.Encoder().encode


def to_row(turn: StoredTurn) -> dict[str, Any]:
    """Return the turn as column values."""
    return _row_of_stone(turn) if isinstance(turn, Tombstone) else _row(turn)


def _row(turn: Turn) -> dict[str, Any]:
    return {
        "turn_id": turn.turn_id,
        "conversation_id": turn.conversation_id,
        "creator": turn.creator,
        "created_us": turn.created_us,
        "digest": turn.digest,
        "workspace_id": turn.workspace_id,
        "state": int(turn.state),
        "attempt": turn.attempt,
        "at_once": turn.at_once,
        "started_us": turn.started_us,
        "ended_us": turn.ended_us,
        "has_reply": turn.has_reply,
        "order_json": _order_json(turn.order),
        "content": turn.order.content,
        "outcome_json": _outcome_json(turn.outcome),
        "node": turn.node,
        "lease_until_us": turn.lease_until_us,
        "cursor": turn.cursor,
        "cancel_requested": turn.cancel_requested,
        "api_keys": " ".join(turn.api_keys),
        "fell_back": turn.fell_back,
        "returned": turn.returned,
        "chosen": f"{turn.chosen.actor} {turn.chosen.handler}" if turn.chosen else "",
        **NO_WORKER,
    }


def _row_of_stone(stone: Tombstone) -> dict[str, Any]:
    return {
        "turn_id": stone.turn_id,
        "conversation_id": stone.conversation_id,
        "creator": stone.creator,
        "created_us": stone.created_us,
        "digest": stone.digest,
        "workspace_id": stone.workspace_id,
        "state": int(stone.state),
        "attempt": stone.attempt,
        "at_once": False,
        "started_us": 0,
        "ended_us": stone.created_us,
        "has_reply": stone.has_reply,
        "order_json": b"",
        "content": b"",
        "outcome_json": _outcome_json(stone.outcome),
        "node": stone.node,
        "lease_until_us": 0,
        "cursor": stone.cursor,
        "cancel_requested": False,
        "api_keys": "",
        "fell_back": False,
        "returned": "",
        "chosen": "",
        **NO_WORKER,
    }


def from_row(row: Any) -> StoredTurn:
    """Return the turn, or the tombstone, that a row holds."""
    return turn_of(row) if row.order_json else _stone_of(row)


def _stone_of(row: Any) -> Tombstone:
    return Tombstone(
        TurnId(row.turn_id),
        ConversationId(row.conversation_id),
        row.creator,
        row.created_us,
        bytes(row.digest),
        row.workspace_id,
        row.cursor,
    )


def turn_of(row: Any) -> Turn:
    """Return the turn that a row with an order holds."""
    return Turn(
        TurnId(row.turn_id),
        ConversationId(row.conversation_id),
        row.creator,
        row.created_us,
        bytes(row.digest),
        _order_of(row),
        row.workspace_id,
        State(row.state),
        row.attempt,
        bool(row.at_once),
        row.started_us,
        row.ended_us,
        bool(row.has_reply),
        _outcome(row.outcome_json),
        row.node,
        row.lease_until_us,
        row.cursor,
        bool(row.cancel_requested),
        tuple(row.api_keys.split()),
        bool(row.fell_back),
        returned=row.returned,
        chosen=_chosen(row.chosen),
    )


def _chosen(stored: str) -> Chosen | None:
    actor, answered, handler = stored.partition(" ")
    return Chosen(handler, actor) if answered else None


def _order_of(row: Any) -> Order:
    order = _order(row.order_json, row.content)
    chosen = _chosen(row.chosen)
    order = order.chosen(chosen) if chosen is not None else order
    order = order.fallen_back() if row.fell_back else order
    handler = row.returned.partition(" ")[2]
    return replace(order, handler=handler, fallback=None, asks=None) if handler else order


def _order_json(order: Order) -> bytes:
    return _encode(
        _Order(
            order.handler,
            int(order.policy),
            order.models,
            order.max_output_tokens,
            order.time_limit_s,
            order.parent,
            order.route,
            order.fallback,
            order.held,
            order.asks,
        )
    )


def _order(encoded: bytes, content: bytes) -> Order:
    it = _decode_order(encoded)
    return Order(
        bytes(content),
        it.handler,
        Policy(it.policy),
        it.models,
        it.max_output_tokens,
        it.time_limit_s,
        parent=it.parent,
        route=it.route,
        fallback=it.fallback,
        held=it.held,
        asks=it.asks,
    )


def _outcome_json(outcome: Outcome | None) -> bytes:
    if outcome is None:
        return b""
    error = _error_row(outcome.error) if outcome.error else None
    return _encode(
        _Outcome(
            int(outcome.state),
            error,
            outcome.usage,
            outcome.model,
            outcome.rolled_back,
            outcome.finish_reason,
            outcome.left_out.omitted,
            outcome.left_out.described,
            outcome.output_limit,
            outcome.left_out.withheld,
            outcome.left_out.skipped,
            outcome.answered_by,
            outcome.beside,
            outcome.left_out.texts,
        )
    )


def _outcome(encoded: bytes) -> Outcome | None:
    if not encoded:
        return None
    it = _decode_outcome(encoded)
    error = _error(it.error) if it.error else None
    return Outcome(
        State(it.state),
        error,
        it.usage,
        it.model,
        it.rolled_back,
        it.finish_reason,
        LeftOut(it.omitted, it.described, it.withheld, it.skipped, it.omitted_texts),
        it.output_limit,
        it.answered_by,
        it.beside,
    )


def outcome_without_words(encoded: bytes) -> bytes:
    """An outcome whose error says which it was, and nothing that it quotes."""
    it = _decode_outcome(encoded) if encoded else None
    if it is None or it.error is None:
        return encoded
    it.error = _Error(it.error.reason)
    return _encode(it)


def _error_row(error: DomainError) -> _Error:
    return _Error(error.reason.value, error.metadata, error.violations, error.retry_after)


def _error(stored: _Error) -> DomainError:
    known = stored.reason in Reason.__members__  # else a newer server's
    error = DomainError(
        Reason(stored.reason) if known else Reason.INTERNAL,
        violations=stored.violations,
        retry_after=stored.retry_after,
    )
    error.metadata = stored.metadata
    return error
