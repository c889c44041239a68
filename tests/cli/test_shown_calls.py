"""How a chat shows that a call has ended."""

import io

import pytest

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
