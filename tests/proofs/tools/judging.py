"""What the log, the readers and the ledger of runs have to agree about."""

from collections import Counter
from collections.abc import Iterator, Sequence

from antiphon.events.v1.event_pb2 import (
    TOOL_CALL_OUTCOME_DENIED,
    TOOL_CALL_OUTCOME_SUCCEEDED,
    TOOL_CALL_OUTCOME_UNKNOWN,
    Event,
    ToolCallOutcome,
)
from antiphon_client import text_of
from tests.fakes.tool_server import Line
from tests.proofs.tools.turns import REPEATABLE, Run, key


def wrong_of(run: Run, log: Sequence[Event], ledger: Sequence[Line]) -> Iterator[str]:
    """What is wrong with a turn that has ended; nothing if all promises were kept."""
    if [it.WhichOneof("payload") for it in log].count("turn_finished") != 1:
        yield "it has not one end"
    kept = {it.first_offset: it.SerializeToString(deterministic=True) for it in log}
    for at, seen in run.seen.items():
        if kept.get(at) != seen:
            yield f"what was seen at {at} is not in the log"
    ran = Counter(line.key for line in ledger if line.what == "ran")
    ends = outcomes(log)
    counts = Counter(it.tool_call_finished.tool_call_id for it in log if _ends_a_call(it))
    for event in log:
        proposed = event.tool_call_proposed
        if not event.HasField("tool_call_proposed"):
            continue
        number = next(n for n in (1, 2, 3) if f'"{key(run, n)}"' in proposed.arguments_json)
        runs, end = ran[key(run, number)], ends.get(proposed.tool_call_id)
        if counts[proposed.tool_call_id] != 1:
            yield f"call {number} has {counts[proposed.tool_call_id]} ends"
        if runs > 1 and number != REPEATABLE:
            yield f"call {number} ran {runs} times"
        if end == TOOL_CALL_OUTCOME_SUCCEEDED and not runs:
            yield f"call {number} succeeded and did not run"
        allowed = (TOOL_CALL_OUTCOME_SUCCEEDED, TOOL_CALL_OUTCOME_UNKNOWN)
        if runs and end not in allowed:
            yield f"call {number} ran, and is told as {end and ToolCallOutcome.Name(end)}"
        if end == TOOL_CALL_OUTCOME_DENIED and runs:
            yield f"call {number} was denied, and ran"
        if runs and not _started(log, proposed.tool_call_id):
            yield f"call {number} ran, and was not started"
    for event in log:
        told = event.tool_call_finished
        if told.outcome == TOOL_CALL_OUTCOME_SUCCEEDED and "ran" not in text_of(told.result):
            yield "a result is lost"
    if extra := {it for it in ran if it.startswith(run.turn_id)} - {key(run, n) for n in (1, 2, 3)}:
        yield f"nobody proposed {extra}"


def outcomes(log: Sequence[Event]) -> dict[str, ToolCallOutcome.ValueType]:
    """How each call ended."""
    ends = (it.tool_call_finished for it in log if _ends_a_call(it))
    return {it.tool_call_id: it.outcome for it in ends}


def _ends_a_call(event: Event) -> bool:
    return event.HasField("tool_call_finished")


def _started(log: Sequence[Event], call_id: str) -> bool:
    return any(it.tool_call_started.tool_call_id == call_id for it in log)
