"""kill -9 at boundaries, in short; ``python -m tests.proofs.tools kills`` is the long form."""

from pathlib import Path

import pytest

from antiphon.events.v1.event_pb2 import (
    TOOL_CALL_OUTCOME_CANCELLED,
    TOOL_CALL_OUTCOME_SUCCEEDED,
    Event,
    ToolCallFinished,
    ToolCallProposed,
    ToolCallStarted,
    TurnFinished,
)
from tests.fakes.tool_server import Line
from tests.proofs.tools.judging import wrong_of
from tests.proofs.tools.kills import kills_of
from tests.proofs.tools.turns import Run, key


@pytest.mark.proof
async def test_no_tool_runs_twice_and_no_result_is_lost(tmp_path: Path) -> None:
    """Real processes are killed where their turns' events are committed."""
    came = await kills_of(tmp_path, "7", count=40)
    print(came.line)
    assert came.wrong == []
    assert (came.runs, came.lives) == (40, 2)
    assert len(came.held) >= 8
    assert came.ran >= 40


RUN = Run("turn_1")


def _log(outcome: int, *, started: bool = True) -> list[Event]:
    arguments = f'{{"key": "{key(RUN, 1)}"}}'
    payloads: list[dict[str, object]] = [
        {"tool_call_proposed": ToolCallProposed(tool_call_id="t", arguments_json=arguments)},
        {"tool_call_started": ToolCallStarted(tool_call_id="t" if started else "")},
        {"tool_call_finished": ToolCallFinished(tool_call_id="t", outcome=outcome)},  # type: ignore[arg-type]
        {"turn_finished": TurnFinished()},
    ]
    return [
        Event(turn_id="turn_1", first_offset=at, **it)  # type: ignore[arg-type]
        for at, it in enumerate(payloads)
    ]


def _ran(times: int) -> list[Line]:
    return [Line("ran", key(RUN, 1), 0.0, 1)] * times


@pytest.mark.parametrize(
    ("log", "runs", "what"),
    [
        (_log(TOOL_CALL_OUTCOME_SUCCEEDED), 2, "ran 2 times"),
        (_log(TOOL_CALL_OUTCOME_SUCCEEDED), 0, "did not run"),
        (_log(TOOL_CALL_OUTCOME_CANCELLED), 1, "is told as"),
        (_log(TOOL_CALL_OUTCOME_SUCCEEDED, started=False), 1, "was not started"),
        (_log(TOOL_CALL_OUTCOME_SUCCEEDED), 1, "a result is lost"),
        (_log(TOOL_CALL_OUTCOME_SUCCEEDED)[:-1], 1, "has not one end"),
        (_log(TOOL_CALL_OUTCOME_SUCCEEDED)[:-2], 1, "call 1 has 0 ends"),
    ],
)
def test_what_is_wrong_is_found(log: list[Event], runs: int, what: str) -> None:
    """Each of the promises can be seen to break."""
    assert any(what in it for it in wrong_of(RUN, log, _ran(runs)))


def test_what_was_seen_has_to_stay() -> None:
    """An event that somebody has read is in the log in the same words."""
    run = Run("turn_1", seen={0: b"other words"})
    assert any("was seen" in it for it in wrong_of(run, _log(TOOL_CALL_OUTCOME_SUCCEEDED), ()))
