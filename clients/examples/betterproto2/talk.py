"""One question and its answer, over as many connections as it takes."""

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from failures import Failure, ending, failure_of_status
from grpclib.client import Channel
from grpclib.const import Status
from place import Place, Text
from session import Session, dial, received
from stubs.antiphon.context.v1 import Message, MessageRole, Part
from stubs.antiphon.dispatcher.v1 import (
    Accepted,
    CancelTurnRequest,
    ConverseError,
    ConverseRequest,
    ConverseResponse,
    DispatcherServiceStub,
    DispatchRequest,
)
from stubs.antiphon.events.v1 import (
    Draining,
    Event,
    EventBatch,
    MessagePosted,
    Progress,
    RefreshToken,
    TextDeltaAppended,
    TurnFinished,
    TurnState,
    WatchCreated,
    WatchEnded,
)

_STREAM_S = 3600.0
_SILENCE_S = 40.0  # a healthy stream says something every 25 s
_GIVE_UP_S = 60.0
_POST = "post"


class Talk:
    """Posts a question under a turn id of its own: posting again can't start a second turn."""

    def __init__(
        self,
        session: Session,
        conversation_id: str,
        question: str,
        on_text: Callable[[str], None],
        on_lost: Callable[[Failure], None],
    ) -> None:
        self.conversation_id = conversation_id
        self.turn_id = f"turn_{uuid.uuid4()}"
        self.place = Place(f"conversations/{conversation_id}")
        self.connections = 0
        self._session = session
        self._question = question
        self._on_text = on_text
        self._on_lost = on_lost
        self._text = Text()
        self._state: TurnState | None = None
        self._posted = self._stopping = self._refused = False
        self._outbox: asyncio.Queue[ConverseRequest] = asyncio.Queue()
        self._channel: Channel | None = None
        self._worked = time.monotonic()
        self._tries = 0
        self._hold = 0.0

    async def answer(self) -> TurnState:
        """How the turn finished. Raises Failure, or GapError."""
        while self._state is None:
            try:
                await self._connection()
            except Failure as failure:
                await self._pause(failure)
        return self._state

    def stop(self) -> None:
        """Stop the turn: what was said stays, and the turn finishes as cancelled."""
        self._stopping = True
        self._outbox.put_nowait(self._cancel())

    def cut(self) -> None:
        """Break the connection, as a network would."""
        if self._channel is not None:
            self._channel.close()

    async def _connection(self) -> None:
        """One connection; ends with the turn, or by an exception."""
        metadata = await self._session.metadata()
        async with dial(self._session.address) as self._channel:
            dispatcher = DispatcherServiceStub(self._channel)
            call = dispatcher.converse(self._requests(), metadata=metadata, timeout=_STREAM_S)
            async with aclosing(received(call)) as frames:
                while self._state is None:
                    self._take(await self._next(frames))

    async def _next(self, frames: AsyncIterator[ConverseResponse]) -> ConverseResponse:
        try:
            return await asyncio.wait_for(anext(frames), _SILENCE_S)
        except StopAsyncIteration:
            raise Failure(Status.UNAVAILABLE, "the server ended the stream") from None
        except TimeoutError:
            raise Failure(Status.UNAVAILABLE, "the server was silent") from None

    async def _requests(self) -> AsyncIterator[ConverseRequest]:
        """What a connection is told: first where to begin, then what there is to say."""
        outbox = self._outbox = asyncio.Queue()
        yield ConverseRequest(subscribe=self.place.watch())
        if not self._posted:
            post = DispatchRequest(
                conversation_id=self.conversation_id,
                turn_id=self.turn_id,
                parts=[Part(text=self._question)],
            )
            yield ConverseRequest(tag=_POST, post=post)
        if self._stopping:
            yield self._cancel()
        while True:
            try:
                async with asyncio.timeout(max(self._session.renew_in, 1.0)):
                    said = await outbox.get()
            except TimeoutError:
                said = ConverseRequest(refresh=RefreshToken(await self._session.token()))
            yield said

    def _cancel(self) -> ConverseRequest:
        cancel = CancelTurnRequest(conversation_id=self.conversation_id, turn_id=self.turn_id)
        return ConverseRequest(cancel=cancel)

    def _take(self, frame: ConverseResponse) -> None:
        match frame:
            case ConverseResponse(created=WatchCreated() as created):
                self.connections += 1
                self._worked = time.monotonic()
                self.place.cursor = self.place.cursor or created.cursor
            case ConverseResponse(batch=EventBatch() as batch):
                self._tries, self._refused = 0, False
                for event in self.place.take(batch):
                    self._apply(event)
            case ConverseResponse(progress=Progress(watches=[watch])):
                self.place.cursor = watch.cursor
            case ConverseResponse(accepted=Accepted() as accepted):
                self._accepted(accepted)
            case ConverseResponse(draining=Draining(reconnect_after=after)) if after is not None:
                self._hold = after.total_seconds()
            case ConverseResponse(ended=WatchEnded() as ended):
                raise ending(ended)
            case ConverseResponse(error=ConverseError(error=error)) if error is not None:
                raise failure_of_status(error)

    def _accepted(self, accepted: Accepted) -> None:
        self._posted = self._posted or accepted.tag == _POST
        turn = accepted.turn
        if turn is not None and turn.state >= TurnState.SUCCEEDED and not turn.message_id:
            self._state = turn.state  # stopped before it came: no event will tell

    def _apply(self, event: Event) -> None:
        if event.turn_id != self.turn_id:
            return
        match event:
            case Event(text_delta_appended=TextDeltaAppended() as delta):
                self._on_text(self._text.append(delta.position, delta.text))
            case Event(message_posted=MessagePosted(message=Message() as message)):
                if message.role == MessageRole.ASSISTANT:
                    whole = "\n".join(part.text or "" for part in message.parts)
                    self._on_text(self._text.append(0, whole))
            case Event(turn_finished=TurnFinished() as finished):
                self._state = finished.state

    async def _pause(self, failure: Failure) -> None:
        """Wait before the next try. Raises the failure if there shall be none."""
        refused = failure.status is Status.UNAUTHENTICATED
        if refused and failure.reason != "CREDENTIALS_INVALID" and not self._refused:
            self._refused = True
            self._session.forget()
        elif not failure.resumable or time.monotonic() - self._worked > _GIVE_UP_S:
            raise failure
        self._on_lost(failure)
        most = min(0.1 * 2**self._tries, 3.0)
        self._tries += 1
        await asyncio.sleep(self._hold + random.uniform(most / 10, most))
        self._hold = 0.0
