"""The ids of a worker's calls and questions: made of the turn and a number, so always the same."""

import hashlib
from typing import Literal, TypeAlias

from antiphon_server.dispatcher.handling import QuestionId, ToolCallId, TurnId

Kind: TypeAlias = Literal["question", "tool", "handler"]
"""What is asked for by an ask. It is part of the id: under a number that an earlier attempt had for
something else, its answer would be none to this."""


def own_call(turn_id: TurnId, number: int) -> ToolCallId:
    """The id of the call of its own that a worker began by that output."""
    return ToolCallId(f"tool_{_mark(turn_id)}_o{number}")


def asked_call(turn_id: TurnId, kind: Kind, number: int, index: int = 0) -> ToolCallId:
    """The id of one of the calls that a worker asked for by that ask."""
    return ToolCallId(f"tool_{_mark(turn_id)}_{kind[0]}{number}_{index}")


def asked_turn(turn_id: TurnId, number: int, index: int) -> TurnId:
    """The id of one of the turns that a worker asked for by that ask."""
    return TurnId(f"turn_{_mark(turn_id)}_{number}_{index}")


def question(turn_id: TurnId, number: int) -> QuestionId:
    """The id of the question that a worker asked by that ask."""
    return QuestionId(f"ask_{_mark(turn_id)}_{number}")


def number_of(call_id: ToolCallId) -> int:
    """By which output the worker began the call; 0 if it did not."""
    mark, _, number = call_id.rpartition("_o")
    return int(number) if mark and number.isdecimal() else 0


def _mark(turn_id: TurnId) -> str:
    return hashlib.sha256(turn_id.encode()).hexdigest()[:24]
