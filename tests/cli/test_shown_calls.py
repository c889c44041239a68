"""How a chat shows that a call has ended."""

import io

import pytest
from google.protobuf.any_pb2 import Any
from google.rpc import code_pb2, error_details_pb2, status_pb2

from antiphon.context.v1.message_pb2 import Part
from antiphon.events.v1 import event_pb2
from antiphon_client import CallStatus
from antiphon_server.cli.chat.screen import Screen
from antiphon_server.cli.chat.tool_calls import show_call


@pytest.mark.parametrize(
    ("outcome", "took", "shown"),
    [
        (event_pb2.TOOL_CALL_OUTCOME_SUCCEEDED, 7, "→ done · 7 ms"),
        (event_pb2.TOOL_CALL_OUTCOME_SUCCEEDED, 1230, "→ done · 1.2 s"),
        (event_pb2.TOOL_CALL_OUTCOME_CANCELLED, 400, "stopped · 0.4 s"),
        (event_pb2.TOOL_CALL_OUTCOME_FAILED, 0, "failed: done"),
    ],
)
def test_its_end_is_said_with_its_time(
    outcome: event_pb2.ToolCallOutcome.ValueType, took: int, shown: str
) -> None:
    """A short time in milliseconds; a call that was stopped has not failed."""
    finished = event_pb2.ToolCallFinished(
        outcome=outcome, duration_ms=took, result=[Part(text="done")]
    )
    proposed = event_pb2.ToolCallProposed(tool="a.b", arguments_json="{}")
    notes = io.StringIO()
    news = CallStatus(event_pb2.TURN_STATE_RUNNING, "", None, proposed, finished)
    show_call(Screen(io.StringIO(), notes), news, "conv_1")
    assert notes.getvalue().splitlines() == ["⚙ a.b {}", f"  {shown}"]


def test_what_a_budget_refuses_is_explained() -> None:
    """As where a model is refused: how much there is, and what helps."""
    told = {"budget": "team", "parent": "ws_00000001", "unit": "calls", "limit": "2"}
    amounts = {"spent": "2", "reserved": "0", "needed": "1"}
    info = error_details_pb2.ErrorInfo(
        reason="BUDGET_EXCEEDED", domain="antiphon", metadata={**told, **amounts}
    )
    detail = Any()
    detail.Pack(info)
    error = status_pb2.Status(code=code_pb2.RESOURCE_EXHAUSTED, message="No.", details=[detail])
    outcome = event_pb2.TOOL_CALL_OUTCOME_FAILED
    finished = event_pb2.ToolCallFinished(outcome=outcome, error=error)
    proposed = event_pb2.ToolCallProposed(tool="a.b", arguments_json="{}")
    notes = io.StringIO()
    news = CallStatus(event_pb2.TURN_STATE_RUNNING, "", None, proposed, finished)
    show_call(Screen(io.StringIO(), notes), news, "conv_1")
    assert (
        "failed: the budget team has too little left: of 2 calls, 2 are spent" in notes.getvalue()
    )
