"""People who answer what turns ask them."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random

from antiphon.events.v1 import event_pb2
from antiphon_server.dispatcher.model import (
    Answer,
    AnswerAction,
    ConversationId,
    QuestionAnswered,
    QuestionId,
    ToolCallId,
    TurnId,
)
from antiphon_server.runtime.errors import DomainError
from tests.proofs.workers.asks import Asks
from tests.proofs.workers.counting import content_of
from tests.proofs.workers.server import ANNA, Server
from tests.proofs.workers.store import RecordedLog

LOOK_S = 0.2
PATIENCE_S = 20.0


class People:
    """Read the log, and answer after a while; of some questions two do, each what they like."""

    def __init__(
        self,
        log: RecordedLog,
        owner: Callable[[ConversationId], Server | None],
        asks: Asks,
        chance: Random,
        after_s: Sequence[float],
    ) -> None:
        self._after_s = after_s
        self._log, self._owner, self._asks, self._chance = log, owner, asks, chance
        self._answering: set[asyncio.Task[None]] = set()
        self._ended: set[str] = set()

    async def run(self) -> None:
        """Until cancelled."""
        read = 0
        try:
            while True:
                for event in self._log.events[read:]:
                    self._look_at(event)
                read = len(self._log.events)
                await asyncio.sleep(LOOK_S)
        finally:
            for task in self._answering:
                task.cancel()

    def _look_at(self, event: event_pb2.Event) -> None:
        if event.HasField("turn_finished"):
            self._ended.add(event.turn_id)
        if event.HasField("tool_call_question_asked"):
            for _ in range(self._chance.choice([1, 1, 1, 2])):
                task = asyncio.create_task(self._answer(event))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)

    async def _answer(self, event: event_pb2.Event) -> None:
        content = content_of(str(self._chance.random()))
        await asyncio.sleep(self._chance.choice(self._after_s))
        while event.turn_id not in self._ended and not await self._said(event, content):  # noqa: ASYNC110 - tried
            await asyncio.sleep(0.5)

    async def _said(self, event: event_pb2.Event, content: str) -> bool:
        """Whether a server has taken it, or another one that came before."""
        asked = event.tool_call_question_asked
        conversation = ConversationId(event.scope.rpartition("/")[2])
        server = self._owner(conversation)
        if server is None:
            return False
        question_id = QuestionId(asked.question.question_id)
        answer = Answer(question_id, AnswerAction.ACCEPTED, content)
        wish = QuestionAnswered(ToolCallId(asked.tool_call_id), answer, ANNA.actor)
        about = conversation, TurnId(event.turn_id), wish, asked.question_sha256
        task = server.place.spawn(server.answers.answer(*about), "answer")
        await asyncio.wait([task], timeout=PATIENCE_S)
        if not task.done() or task.cancelled():
            task.cancel()
            return False
        if isinstance(task.exception(), DomainError):
            return False
        self._asks.told(question_id, task.result().answer.content)
        return True
