"""Who sent a message is asked who shall have it: a question like those of tools, to them alone."""

import hashlib
import json
from collections.abc import Callable

from antiphon_server.dispatcher.handling import AskedCall, Attendance
from antiphon_server.dispatcher.model import (
    CHOICE,
    Answer,
    AnswerAction,
    CallPaused,
    CallResult,
    Question,
    QuestionAnswered,
    QuestionId,
    ToolCall,
    ToolCallId,
    Turn,
)
from antiphon_server.dispatcher.routed_model import Asks, Chosen
from antiphon_server.dispatcher.turn_work import TurnWork

TOOL = "routes.ask"
MESSAGE = "Several could answer this. Who shall?"
NONE = "-"
"""Stands for none of them: no handler's name."""
SHOWN = 200
"""So many characters of what an expert says of itself are shown."""


class Choosing:
    """Asks who shall have a turn. ``result_of`` makes a call's result of a text."""

    def __init__(self, result_of: Callable[[str], bytes]) -> None:
        self._result_of = result_of

    async def choice(self, work: TurnWork) -> Chosen:
        """Ask, or wait for the answer to what an earlier attempt has asked. Raises DomainError."""
        turn, asks = work.turn, work.turn.order.asks
        assert asks is not None, "it asks"
        question = _question(turn, asks)
        arguments = json.dumps({"message": MESSAGE})
        call = ToolCall(ToolCallId(f"tool_{_mark(turn)}{CHOICE}"), TOOL, arguments)

        async def run(_: ToolCall, people: Attendance) -> CallResult | CallPaused:
            for answer in people.resumed.answers:
                has_it = _handler(answer) or asks.otherwise.handler
                return CallResult(self._result_of(f"{has_it} has it"))
            return CallPaused((question,), b"asked", asks.wait_s)

        await work.calling.make([AskedCall(call, repeatable=True)], run)
        known = work.writer.calls.find(call.call_id)
        asked = known.question(question.question_id) if known is not None else None
        return _chosen(asked.answered if asked is not None else None)


def _chosen(answered: QuestionAnswered | None) -> Chosen:
    if answered is None:
        return Chosen()
    in_time = answered.answer.action is not AnswerAction.CANCELLED
    return Chosen(_handler(answered.answer), answered.actor if in_time else "")


def _handler(answer: Answer) -> str:
    """Who was chosen; "" if nobody was."""
    if answer.action is not AnswerAction.ACCEPTED:
        return ""
    handler = str(json.loads(answer.content)["handler"])
    return "" if handler == NONE else handler


def _question(turn: Turn, asks: Asks) -> Question:
    offered = [(it.routed.handler, _shown(it.routed.handler, it.description)) for it in asks.offers]
    offered.append((NONE, f"none of these: {asks.otherwise.handler}"))
    chosen = {
        "type": "string",
        "title": "Who",
        "oneOf": [{"const": const, "title": title} for const, title in offered],
    }
    form = {"type": "object", "properties": {"handler": chosen}, "required": ["handler"]}
    question_id = QuestionId(f"ask_{_mark(turn)}{CHOICE}")
    return Question(question_id, MESSAGE, json.dumps(form), asked_of=turn.creator)


def _shown(handler: str, description: str) -> str:
    told = " ".join(description.split())
    told = f"{told[:SHOWN]}…" if len(told) > SHOWN else told
    return f"{handler}: {told}" if told else handler


def _mark(turn: Turn) -> str:
    return hashlib.sha256(turn.turn_id.encode()).hexdigest()[:24]
