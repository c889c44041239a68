"""Steps of a turn's hand-offs <-> events of the log."""

from typing import assert_never

from antiphon.events.v1 import event_pb2, handoff_pb2
from antiphon_server.dispatcher.handoff_encoding import handoff_message, handoff_of
from antiphon_server.dispatcher.handoff_model import (
    HandoffClaimChanged,
    HandoffEnd,
    HandoffEnded,
    HandoffStep,
    TurnHandedOff,
)

KINDS = (
    event_pb2.EVENT_KIND_TURN_HANDED_OFF,
    event_pb2.EVENT_KIND_HANDOFF_CLAIM_CHANGED,
    event_pb2.EVENT_KIND_HANDOFF_ENDED,
)


def add_handoff_step(event: event_pb2.Event, step: HandoffStep) -> None:
    """Encode what happened to a hand-off."""
    match step:
        case TurnHandedOff(handoff):
            event.turn_handed_off.handoff.CopyFrom(handoff_message(handoff))
        case HandoffClaimChanged(handoff_id, claimed_by):
            claim = event.handoff_claim_changed
            claim.handoff_id, claim.claimed_by = handoff_id, claimed_by
        case HandoffEnded(handoff_id, end, _, handler, note, asked):
            ended = event.handoff_ended
            ended.handoff_id, ended.handler, ended.note = handoff_id, handler, note
            ended.asked_mac = asked
            ended.end = handoff_pb2.HandoffEnd.ValueType(end)
        case _:
            assert_never(step)


def actor_of(step: HandoffStep) -> str:
    """Who did that; "" where it is the turn's handler."""
    match step:
        case TurnHandedOff(handoff):
            return handoff.asked_by
        case HandoffClaimChanged() | HandoffEnded():
            return step.actor
        case _:
            assert_never(step)


def handoff_step_of(event: event_pb2.Event) -> HandoffStep | None:
    """Decode what happened to one; None of an event that tells of none."""
    match event.WhichOneof("payload"):
        case "turn_handed_off":
            return TurnHandedOff(handoff_of(event.turn_handed_off.handoff))
        case "handoff_claim_changed":
            claim = event.handoff_claim_changed
            since_us = event.time.ToMicroseconds()
            return HandoffClaimChanged(claim.handoff_id, claim.claimed_by, event.actor, since_us)
        case "handoff_ended":
            it = event.handoff_ended
            end, is_person = HandoffEnd(it.end), event.actor.startswith("users/")
            actor = event.actor if is_person else ""
            return HandoffEnded(it.handoff_id, end, actor, it.handler, it.note, it.asked_mac)
        case _:
            return None
