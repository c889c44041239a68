"""A model hands its turn to people: once by each call, whatever dies in between."""

from dataclasses import replace

import pytest

from antiphon_server.agents.handing import TOOL, left_over, order_from
from antiphon_server.agents.ports import Round
from antiphon_server.dispatcher.handling import (
    CallOutcome,
    HandoffRole,
    Order,
    ToolCall,
    ToolCallFinished,
    ToolCallId,
    Turn,
    TurnId,
)
from antiphon_server.dispatcher.model import ConversationId, Policy
from antiphon_server.runtime.errors import Reason
from tests.e2e.refusals import Refused

TURN = Turn(
    TurnId("turn_00000001"),
    ConversationId("conv_00000001"),
    "users/user_0000anna",
    1,
    b"",
    Order(b"", "assistant", Policy.QUEUE),
)
BACK = replace(TURN, returned="hand_00000001_1 assistant")


def _round(tool: str = TOOL, outcome: CallOutcome = CallOutcome.SUCCEEDED) -> Round:
    call = ToolCall(ToolCallId("tool_1"), tool, '{"reason": "money"}', 1, b"")
    return Round("", [call], [ToolCallFinished(call.call_id, outcome)])


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ("{}", "$.reason"),
        ('{"reason": ""}', "$.reason"),
        ('{"reason": 7}', "$.reason"),
        (f'{{"reason": "{"x" * 513}"}}', "$.reason"),
        ('{"reason": "x", "queue": "queens"}', "$.queue"),
        ('{"reason": "x", "queue": ["members"]}', "$.queue"),
    ],
)
def test_what_it_says_has_to_be_what_the_tool_takes(arguments: str, path: str) -> None:
    with Refused(Reason.TOOL_ARGUMENTS_INVALID) as refused:
        order_from(arguments)
    assert refused.error.metadata["path"] == path


def test_it_says_why_and_to_whom() -> None:
    order = order_from('{"reason": "money", "queue": "admins"}')
    assert (order.reason, order.role) == ("money", HandoffRole.ADMIN)
    assert order_from('{"reason": "money"}').role is HandoffRole.MEMBER


@pytest.mark.parametrize(
    ("turn", "rounds", "is_left"),
    [
        (TURN, [], False),
        (TURN, [_round()], True),
        (TURN, [_round("antiphon.time")], False),
        (TURN, [_round(outcome=CallOutcome.FAILED)], False),
        (TURN, [_round(), _round("antiphon.time")], False),
        (BACK, [_round()], False),
        (BACK, [_round(), _round()], True),
    ],
)
def test_an_attempt_that_died_in_between_is_made_up_for(
    turn: Turn, rounds: list[Round], *, is_left: bool
) -> None:
    """What people gave back is not handed to them again."""
    assert (left_over(turn, rounds) is not None) is is_left
