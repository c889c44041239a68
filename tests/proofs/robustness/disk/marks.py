"""Traffic of which every message, turn and piece of an answer carries a mark."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from antiphon.events.v1.event_pb2 import Event
from antiphon_client import Client, LiveConversation, text_of
from tests.e2e.until import until
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.proofs.robustness.disk.order import text_mark, turn_mark

POST, DELTA, QUESTION = "p", "d", "q"
DELTAS, GAP_MS = 6, 3.0
CAUGHT_UP_S = 60.0


class MarkedEndpoint(FakeEndpoint):
    """A model of which every piece is a mark."""

    def __init__(self) -> None:
        super().__init__(Behaviour(deltas=DELTAS, gap_ms=GAP_MS))
        self._numbers = itertools.count()

    def texts(self, behaviour: Behaviour) -> Sequence[str]:
        """What an answer says once."""
        return [text_mark(DELTA, next(self._numbers)) for _ in range(behaviour.deltas)]


@dataclass(slots=True)
class Told:
    """What clients were told: acknowledged marks, and marks in events with how often."""

    acknowledged: list[str] = field(default_factory=list)
    delivered: Counter[str] = field(default_factory=Counter)

    def note(self, event: Event) -> None:
        """Somebody saw an event."""
        kind = event.WhichOneof("payload")
        if kind == "text_delta_appended":
            text = event.text_delta_appended.text
            self.delivered.update(_pieces(text))
        elif kind == "message_posted" and not event.turn_id:
            self.delivered[text_of(event.message_posted.message.parts)] += 1
        elif kind == "turn_accepted":
            self.delivered[event.turn_id] += 1


def _pieces(text: str) -> Sequence[str]:
    size = len(text_mark(DELTA, 0))
    return [text[at : at + size] for at in range(0, len(text), size)]


class Crowd:
    """People in one conversation: some post, some ask, two follow."""

    def __init__(self, client: Client, conversation_id: str, told: Told) -> None:
        self._client = client
        self._conversation_id = conversation_id
        self._told = told

    async def post(self, numbers: "itertools.count[int]", most: int) -> None:
        """Post marks until the numbers reach ``most``."""
        while (number := next(numbers)) < most:
            mark = text_mark(POST, number)
            await self._client.post_message(self._conversation_id, mark)
            self._told.acknowledged.append(mark)

    async def ask(
        self, numbers: "itertools.count[int]", most: int, talk: LiveConversation | None
    ) -> None:
        """Run turns, by Dispatch or on a stream, until the numbers reach ``most``."""
        while (number := next(numbers)) < most:
            turn_id, text = turn_mark(number), text_mark(QUESTION, number)
            if talk is None:
                await self._client.dispatch(self._conversation_id, text, turn_id=turn_id)
            else:
                await (await talk.post(text, turn_id=turn_id)).result()
            self._told.acknowledged.append(turn_id)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[LiveConversation]:
        """Let two follow, one by Subscribe and one by Converse, until both have seen the end."""
        seen = [0, 0]

        def note(which: int, event: Event) -> None:
            if not event.ephemeral:
                self._told.note(event)
                seen[which] = event.last_offset

        async def follow() -> None:
            scope = f"conversations/{self._conversation_id}"
            async for event in self._client.follow(scope, earliest=True):
                note(0, event)

        following = asyncio.create_task(follow())
        try:
            async with self._client.converse(
                self._conversation_id, on_event=lambda event: note(1, event)
            ) as talk:
                yield talk
                head = await self._ended()
                await until(lambda: min(seen) >= head, CAUGHT_UP_S)
        finally:
            following.cancel()
            await asyncio.wait([following])

    async def _ended(self) -> int:
        """Where the log ends when all turns have ended."""
        async with asyncio.timeout(CAUGHT_UP_S):
            while True:
                turns = [turn async for turn in self._client.list_turns(self._conversation_id)]
                if all(turn.HasField("end_time") for turn in turns):
                    head = await self._client.get_head(f"conversations/{self._conversation_id}")
                    return head.last_offset
                await asyncio.sleep(0.05)
