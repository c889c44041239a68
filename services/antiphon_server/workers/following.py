"""A turn is followed at its worker: what that says is stored, what it asks for is done."""

from typing import assert_never

from antiphon_server.dispatcher.handling import (
    AttemptLost,
    CallOutcome,
    ToolCall,
    ToolCallFinished,
    ToolCallProposed,
    ToolCallStarted,
    Work,
)
from antiphon_server.runtime.encoding.json_texts import JsonTexts
from antiphon_server.workers import call_ids
from antiphon_server.workers.asking import Asking
from antiphon_server.workers.assignment import Assignment, Declining
from antiphon_server.workers.delegation import Delegation
from antiphon_server.workers.frames import (
    Accepted,
    AskedCalls,
    AskedQuestion,
    AskedTurns,
    CallBegun,
    CallEnded,
    Declined,
    Finished,
    Output,
    Progressed,
    Written,
)
from antiphon_server.workers.ports import Contents


class Following:
    """Follows turns."""

    def __init__(self, asking: Asking, delegation: Delegation, contents: Contents) -> None:
        self._asking, self._delegation, self._contents = asking, delegation, contents

    async def follow(self, work: Work, assignment: Assignment) -> Finished:
        """Do what the worker says until it says that the turn ends: how it does is returned.

        Raises AttemptLost.
        """
        while True:
            said = await assignment.next()
            match said:
                case Written() | Progressed() | CallBegun() | CallEnded():
                    await _put(work, said, self._contents)
                case AskedQuestion():
                    assignment.answer(await self._asking.question(work, said))
                case AskedCalls():
                    assignment.answer(await self._asking.calls(work, said))
                case AskedTurns():
                    assignment.answer(await self._delegation.turns(work, said))
                case Finished():
                    return said
                case Declined() if assignment.was_let_go:
                    raise AttemptLost
                case Declined():
                    raise Declining
                case Accepted():
                    pass
                case _:
                    assert_never(said)


async def _put(work: Work, said: Output, contents: Contents) -> None:
    outputs, turn_id = work.outputs, work.turn.turn_id
    match said:
        case Written(number, text):
            await outputs.write(number, text)
        case Progressed(number, status, fraction):
            await outputs.progress(number, status, fraction)
        case CallBegun(number, tool, arguments):
            it = JsonTexts(arguments)
            shown = it.with_texts(await outputs.masked([text for text, _ in it.texts]))
            call = ToolCall(call_ids.own_call(turn_id, number), tool, shown, number)
            proposed = ToolCallProposed(call, False, output=number)
            await outputs.report(proposed, ToolCallStarted(call))
        case CallEnded(number, begun, content, failed):
            masked = await outputs.masked(contents.texts(content))
            content = contents.with_texts(content, masked)
            outcome = CallOutcome.FAILED if failed else CallOutcome.SUCCEEDED
            end = ToolCallFinished(
                call_ids.own_call(turn_id, begun), outcome, content, output=number
            )
            await outputs.report(end)
        case _:
            assert_never(said)
