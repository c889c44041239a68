"""People at work: they follow, converse and post, and note what they see and are promised."""

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, TypeVar

import grpc

from antiphon.context.v1.context_service_pb2 import PostMessageRequest, PostMessageResponse
from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon_client import AntiphonError, Client, LiveConversation, TurnHandle
from antiphon_client.errors import HistoryLost, Unauthenticated
from antiphon_client.ids import new_turn_id
from antiphon_client.status import error_of_rpc
from tests.e2e.until import until
from tests.proofs.robustness.history import (
    Fact,
    History,
    Reader,
    Sent,
    Stop,
    Told,
    fact_of,
    state_name,
    stored_of,
)

if TYPE_CHECKING:
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub

Answer = TypeVar("Answer")

POST_S = 3.0
AT_LENGTH = "at length:"  # asks the stage's model for an answer that outlasts a stop
EACH_AGAIN = 5  # each fifth post is sent again after its answer
# What a refused or broken call says that may be made again with the same request id.
MOST_REFUSALS = 20  # of a token, one after the other
AGAIN = frozenset({"UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN"})


async def follow(client: Client, conversation_id: str, reader: Reader) -> None:
    """Follow from the beginning, over whatever happens, until cancelled."""
    async for event in client.follow(f"conversations/{conversation_id}", earliest=True):
        reader.note(event)


async def follow_in_bits(
    client: Client, conversation_id: str, reader: Reader, chance: random.Random
) -> None:
    """Follow, but leave after some batches and come back with the stored cursor."""
    cursor, offset = "", 0
    while True:
        stream = client.follow(
            f"conversations/{conversation_id}", cursor=cursor, offset=offset, earliest=True
        )
        left = chance.randint(1, 30)
        batches = stream.batches()
        async for batch in batches:
            for event in batch.events:
                reader.note(event)
            cursor, offset, left = batch.cursor, batch.offset or offset, left - 1
            if not left:
                break
        await batches.aclose()


async def take_answer(turn: TurnHandle, reader: Reader) -> str:
    """Read an answer in pieces to its end; returns how that was: ``FAILED TURN_LOST``."""
    reader.told[turn.turn_id] = ""
    async for piece in turn:
        reader.told[turn.turn_id] += piece
    result = await turn.result()
    return " ".join([state_name(result.state), *([result.error.reason] if result.error else [])])


async def insist(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """Make a call until it is answered. Raises AntiphonError where it is refused for good."""
    refused = 0
    while True:
        try:
            return await call()
        except AntiphonError as error:
            refused += isinstance(error, Unauthenticated)
            again = error.code.name in AGAIN and error.reason not in ("INTERNAL", "NOT_FOUND")
            if not again and not 0 < refused < MOST_REFUSALS:
                raise
        await asyncio.sleep(0.02)


async def note_stop(
    client: Client,
    history: History,
    conversation_id: str,
    stopped: Turn,
    *,
    early: bool = False,
) -> None:
    """Note that a turn was stopped, and where the log ended after that was answered."""
    at = time.monotonic()
    head = await insist(lambda: client.get_head(f"conversations/{conversation_id}"))
    stop = Stop(stopped.turn_id, state_name(stopped.state), head.last_offset, early, at)
    history.stops.append(stop)


async def note_told(
    client: Client, history: History, conversation_id: str, turn_id: str, seen: str
) -> None:
    """Ask for a turn whose end was seen, in each way there is, and note what was said."""

    async def get() -> Turn:
        return await client.get_turn(conversation_id, turn_id)

    async def find() -> Turn:
        async with aclosing(client.list_turns(conversation_id)) as turns:
            return await anext(turn async for turn in turns if turn.turn_id == turn_id)

    for call, ask in (("GetTurn", get), ("ListTurns", find)):
        turn = await insist(ask)
        history.told.append(Told(turn_id, seen, call, state_name(turn.state)))


class Talker:
    """Posts turn after turn on one conversation; stops some of them in the middle."""

    def __init__(
        self,
        talk: LiveConversation,
        history: History,
        reader: Reader,
        client: Client | None = None,
    ) -> None:
        self._client = client
        self._talk = talk
        self._history = history
        self._reader = reader
        self.states: list[str] = []

    async def turn(
        self, text: str, *, handler: str = "", stop_after_s: float | None = None
    ) -> None:
        """One turn, from the post to its end."""
        turn_id = new_turn_id()
        sent = self._history.say(f"{turn_id} {text}", turn_id=turn_id)
        sent.tried()
        turn = await self._talk.post(f"{turn_id} {text}", handler=handler, turn_id=turn_id)
        sent.answered()
        self._history.accepted_turns.append(turn.turn_id)
        answer = asyncio.create_task(take_answer(turn, self._reader))
        if stop_after_s is not None:
            await asyncio.sleep(stop_after_s)
            await self._stop(turn)
        self.states.append(await answer)
        if self._client is not None:
            seen, where = self.states[-1].partition(" ")[0], self._talk.conversation_id
            await note_told(self._client, self._history, where, turn.turn_id, seen)

    async def _stop(self, turn: TurnHandle) -> None:
        stopped = await turn.cancel()
        if self._client is not None:
            await note_stop(self._client, self._history, self._talk.conversation_id, stopped)

    async def run(self, stopping: asyncio.Event, chance: random.Random) -> None:
        """Turn after turn, until told to stop."""
        number = 0
        while not stopping.is_set():
            number += 1
            words = " ".join(f"wörd{number}.{at}" for at in range(chance.randint(1, 30)))
            stop = chance.uniform(0.0, 0.4) if chance.random() < 0.3 else None
            if stop is not None:
                words = f"{AT_LENGTH} {words}"
            await self.turn(words, handler=chance.choice(["", "echo"]), stop_after_s=stop)


async def write(
    client: Client,
    conversation_id: str,
    history: History,
    stopping: asyncio.Event,
    gap_s: float = 0.02,
    more: str = "",
) -> None:
    """Post message after message, each until it is accepted, until told to stop.

    Some are sent once more when they were accepted, as by who has not got the answer.
    ``more`` makes them longer.
    """
    context = ContextServiceStub(client.channel)
    number = 0
    while not stopping.is_set():
        number += 1
        request_id = str(uuid.uuid4())
        text = f"{request_id} message {number}{more}"
        request = PostMessageRequest(
            conversation_id=conversation_id, parts=[Part(text=text)], request_id=request_id
        )
        sent = history.say(text, request_id=request_id)
        for _ in range(1 if number % EACH_AGAIN else 2):
            answer = await insist(lambda: _post(context, client, request, sent))  # noqa: B023
            sent.answered(answer.message.message_id)
        history.accepted_messages.append(answer.message.message_id)
        await asyncio.sleep(gap_s)


async def _post(
    context: "ContextServiceAsyncStub", client: Client, request: PostMessageRequest, sent: Sent
) -> PostMessageResponse:
    token = await client.tokens.get()
    sent.tried()
    metadata = (("authorization", f"Bearer {token}"),)
    try:
        return await context.PostMessage(request, metadata=metadata, timeout=POST_S)
    except grpc.aio.AioRpcError as rpc_error:
        error = error_of_rpc(rpc_error)
        if isinstance(error, Unauthenticated):
            client.tokens.reject(token)
        raise error from None


async def caught_up(client: Client, conversation_id: str, readers: Sequence[Reader]) -> None:
    """Wait until all readers have seen the log to its end. Raises TimeoutError."""
    head = await client.get_head(f"conversations/{conversation_id}")
    await until(lambda: all(it.end >= head.last_offset for it in readers))


async def read_state(client: Client, conversation_id: str, history: History) -> None:
    """Read what is stored in the end: the log, the messages, the turns."""
    await _read_log(client, conversation_id, history)
    history.messages = [
        (message.message_id, stored_of(message))
        async for message in client.list_messages(conversation_id)
    ]
    history.turns = {
        turn.turn_id: state_name(turn.state) async for turn in client.list_turns(conversation_id)
    }


async def _read_log(client: Client, conversation_id: str, history: History) -> None:
    """Read the log and where it begins; again, if it was trimmed meanwhile."""
    scope, history.earliest = f"conversations/{conversation_id}", 0
    while (earliest := (await client.get_head(scope)).earliest_offset) != history.earliest:
        history.earliest = earliest
        with suppress(HistoryLost):
            history.log = await _log(client, conversation_id)


async def _log(client: Client, conversation_id: str) -> list[Fact]:
    facts: list[Fact] = []
    cursor = ""
    while True:
        page = await client.read_events(f"conversations/{conversation_id}", cursor, page_size=1000)
        facts += [fact_of(event) for event in page.events]
        cursor = page.cursor
        if page.at_head:
            return facts
