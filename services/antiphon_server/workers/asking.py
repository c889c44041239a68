"""What a worker asks for: of people, and of tools. The server asks, and remembers the answers."""

import json
from collections.abc import Sequence

from antiphon_server.dispatcher.handling import (
    AskedCall,
    Attendance,
    CallOutcome,
    CallPaused,
    CallResult,
    Question,
    ToolCall,
    ToolCallFinished,
    Work,
)
from antiphon_server.runtime.encoding.form_texts import FormTexts
from antiphon_server.runtime.errors import invalid
from antiphon_server.workers import call_ids
from antiphon_server.workers.frames import (
    Answered,
    AskedCalls,
    AskedQuestion,
    CallEnd,
    CallsEnded,
)
from antiphon_server.workers.ports import Contents, Tools

_PAUSED = b"asked"


class Asking:
    """Does what workers ask for. Each is a call of a tool in the log: done once, by its number.

    A question is a call of the tool ``HANDLER.ask``, which pauses until people have answered.
    """

    def __init__(self, tools: Tools, contents: Contents) -> None:
        self._tools, self._contents = tools, contents

    async def question(self, work: Work, asked: AskedQuestion) -> Answered:
        """Ask people; returns what they said, perhaps to an earlier attempt.

        Raises DomainError if they could not be asked.
        """
        turn_id, message = work.turn.turn_id, await _shown(work, asked)
        arguments = json.dumps({"message": message}, ensure_ascii=False)
        tool = f"{work.turn.order.handler}.ask"
        call_id = call_ids.asked_call(turn_id, "question", asked.number)
        call = ToolCall(call_id, tool, arguments, asked.number)
        question = Question(call_ids.question(turn_id, asked.number), message, schema=asked.schema)

        async def run(_: ToolCall, people: Attendance) -> CallResult | CallPaused:
            for answer in people.resumed.answers:
                said = {"action": answer.action.name, "content": answer.content}
                return CallResult(self._contents.of_text(json.dumps(said, ensure_ascii=False)))
            return CallPaused((question,), _PAUSED)

        (end,) = await work.call([AskedCall(call, repeatable=True)], run)
        if end.error is not None:
            raise end.error
        said = self._contents.text(end.content)
        return Answered(turn_id, work.turn.attempt, asked.number, said)

    async def calls(self, work: Work, asked: AskedCalls) -> CallsEnded:
        """Have tools called; returns what came of it, perhaps in an earlier attempt."""
        turn = work.turn
        wanted = [
            ToolCall(
                call_ids.asked_call(turn.turn_id, "tool", asked.number, at), *it, step=asked.number
            )
            for at, it in enumerate(asked.calls)
        ]
        planned = await self._tools.planned(turn, wanted)

        async def run(call: ToolCall, people: Attendance) -> CallResult | CallPaused:
            return await self._tools.run(turn, call, people)

        ends = await work.call(planned, run)
        return CallsEnded(turn.turn_id, turn.attempt, asked.number, _told(ends))


def _told(ends: Sequence[ToolCallFinished]) -> tuple[CallEnd, ...]:
    return tuple(
        CallEnd(
            it.call_id,
            it.content,
            it.outcome is not CallOutcome.SUCCEEDED,
            it.error,
            it.omitted_bytes,
        )
        for it in ends
    )


async def _shown(work: Work, asked: AskedQuestion) -> str:
    """The question as people may see it.

    Raises DomainError INVALID_ARGUMENT for a form with something that they may not: what it names
    can't be masked.
    """
    fields = FormTexts(asked.schema).texts if asked.schema else []
    said = [asked.message, *(text for text, _ in fields)]
    message, *shown = await work.outputs.masked(said)
    if shown != said[1:]:
        raise invalid("ask.question.schema_json", "filters hide a part of it")
    return message
