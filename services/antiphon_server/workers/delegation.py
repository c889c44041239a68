"""Other handlers that a worker has work for it, as turns of their own."""

import json
from collections.abc import Sequence

from antiphon_server.dispatcher.handling import (
    AskedCall,
    Attendance,
    CallOutcome,
    CallResult,
    Child,
    ToolCall,
    ToolCallFinished,
    Work,
)
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.workers import call_ids
from antiphon_server.workers.frames import AskedTurn, AskedTurns, TurnEnd, TurnsEnded
from antiphon_server.workers.ports import Contents

MOST_OF_TURN = 64
LONGEST_TEXT = 48 * 1024
SHOWN = 500
"""So many characters of what is asked are in the log beside the turn's own message."""
_PREFIX = "handlers."


class Delegation:
    """Does what workers ask of other handlers. Each is a call in the log, and a turn beside it.

    The call's tool is `handlers.NAME`. It is repeatable: begun again, it meets the turn that it has
    begun.
    """

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    async def turns(self, work: Work, asked: AskedTurns) -> TurnsEnded:
        """Have others work side by side; returns what came of it, perhaps of an earlier attempt."""
        turn = work.turn
        children = [_child(work, asked.number, at, it) for at, it in enumerate(asked.turns)]
        by_call = {
            call_ids.asked_call(turn.turn_id, "handler", asked.number, at): child
            for at, child in enumerate(children)
        }
        wanted = [
            AskedCall(
                ToolCall(call_id, f"{_PREFIX}{child.handler}", _shown(child, it), asked.number),
                repeatable=True,
                refused=_refused(work, asked.number, at),
            )
            for at, (it, (call_id, child)) in enumerate(
                zip(asked.turns, by_call.items(), strict=True)
            )
        ]

        async def run(call: ToolCall, people: Attendance) -> CallResult:
            end = await people.until(work.delegate(by_call[call.call_id]))
            text = end.text.encode()[:LONGEST_TEXT].decode(errors="ignore")
            if end.error is not None:
                raise end.error
            omitted = len(end.text.encode()) - len(text.encode())
            return CallResult(self._contents.of_text(text), not end.succeeded, omitted)

        ends = await work.call(wanted, run)
        return TurnsEnded(turn.turn_id, turn.attempt, asked.number, self._told(children, ends))

    def _told(
        self, children: Sequence[Child], ends: Sequence[ToolCallFinished]
    ) -> tuple[TurnEnd, ...]:
        return tuple(
            TurnEnd(
                child.turn_id,
                self._contents.text(end.content),
                end.outcome is not CallOutcome.SUCCEEDED,
                end.error,
                end.omitted_bytes,
            )
            for child, end in zip(children, ends, strict=True)
        )


def _child(work: Work, number: int, at: int, asked: AskedTurn) -> Child:
    turn_id = call_ids.asked_turn(work.turn.turn_id, number, at)
    left = max(work.left_s, 1.0)
    limit = min(asked.time_limit_s or left, left)
    return Child(turn_id, asked.handler, asked.content, limit, asked.kinds)


def _shown(child: Child, asked: AskedTurn) -> str:
    told = {"turn_id": child.turn_id, "message": asked.text[:SHOWN]}
    return json.dumps(told, ensure_ascii=False)


def _refused(work: Work, number: int, at: int) -> DomainError | None:
    """Why there can't be so many; those of earlier attempts are met again."""
    call_id = call_ids.asked_call(work.turn.turn_id, "handler", number, at)
    before = [it.call for it in work.past_calls if it.call.tool.startswith(_PREFIX)]
    known = any(it.call_id == call_id for it in before)
    if known or len(before) + at < MOST_OF_TURN:
        return None
    return DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_OF_TURN} turns asked for by a turn")
