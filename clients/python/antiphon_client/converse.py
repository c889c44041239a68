"""A conversation that is open: post, stop, and read answers as they come."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

import grpc

from antiphon.context.v1.conversation_pb2 import TURN_POLICY_UNSPECIFIED, TurnPolicy
from antiphon.context.v1.message_pb2 import Part
from antiphon.dispatcher.v1.dispatcher_service_pb2 import (
    Accepted,
    CancelTurnRequest,
    ConverseError,
    ConverseRequest,
    ConverseResponse,
    DispatchRequest,
    SetTyping,
)
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.event_pb2 import Event
from antiphon.events.v1.stream_pb2 import CancelWatch
from antiphon_client.asks import Asks
from antiphon_client.conversations import NOTHING
from antiphon_client.errors import AntiphonError, Unauthenticated, connection_lost
from antiphon_client.frames import Cancelled, Intake
from antiphon_client.ids import new_turn_id
from antiphon_client.place import Place
from antiphon_client.pulse import Pulse
from antiphon_client.redial import Redial
from antiphon_client.status import error_of_status
from antiphon_client.trees import Trees
from antiphon_client.turn import TurnHandle
from antiphon_client.wire import SILENCE_S, Wire

ConverseWire = Wire[ConverseRequest, ConverseResponse]


_MOST_UNSENT = 16
_NO_WATCH = "none"


class LiveConversation:
    """One conversation over as many connections as it takes; an async context manager.

    Entering waits for the first connection. What is posted, and the answers to it, outlive
    broken connections: posts are repeated under their turn ids, answers go on by cursor.
    """

    def __init__(
        self,
        conversation_id: str,
        dial: Callable[[], ConverseWire],
        redial: Redial,
        place: Place,
        on_event: Callable[[Event], None] | None = None,
        silence: float = SILENCE_S,
    ) -> None:
        self.conversation_id = conversation_id
        self._dial = dial
        self._redial = redial
        self._place = place
        self._intake = Intake(place, redial)
        self._on_event = on_event
        self._asks = Asks()
        self._turns: dict[str, TurnHandle] = {}
        self._trees = Trees()
        self._pulse = Pulse(redial, self._awaited, self._ask_for_a_word, silence)
        self._error: AntiphonError | None = None

    async def __aenter__(self) -> Self:
        self._connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._run(), name=f"antiphon {self.conversation_id}")
        try:
            await self._connected
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stop()

    @property
    def cursor(self) -> str:
        """The position up to which everything was received."""
        return self._place.cursor

    @property
    def failed(self) -> AntiphonError | None:
        """Why the conversation has ended for good; None while it goes on."""
        return self._error

    async def post(
        self,
        text: str,
        *,
        handler: str = "",
        models: Sequence[str] = (),
        policy: TurnPolicy.ValueType = TURN_POLICY_UNSPECIFIED,
        max_output_tokens: int = 0,
        turn_id: str = "",
        type: str = "",
        metadata: Mapping[str, str] = NOTHING,
    ) -> TurnHandle:
        """Say something; returns when it is committed and its turn has begun.

        ``type`` is what it is for programs, as `form.submitted`; ``metadata`` what they say of it.
        Give a ``turn_id`` of :func:`new_turn_id` to be able to stop the turn before this
        returns. Raises AntiphonError: NOT_FOUND, HANDLER_NOT_FOUND, CONVERSATION_ARCHIVED,
        TURN_REJECTED, LIMIT_EXCEEDED.
        """
        handle = self.join(turn_id or new_turn_id())
        post = DispatchRequest(
            conversation_id=self.conversation_id,
            turn_id=handle.turn_id,
            handler=handler,
            parts=[Part(text=text)],
            policy=policy,
            models=models,
            max_output_tokens=max_output_tokens,
            type=type,
            metadata=metadata,
        )
        try:
            accepted = await self._ask(ConverseRequest(post=post))
        except AntiphonError as error:
            handle.fail(error)
            self._turns.pop(handle.turn_id, None)
            raise
        self._accept(accepted.turn)
        return handle

    def join(self, turn_id: str) -> TurnHandle:
        """A handle on a turn that runs already, or is about to."""
        handle = self._turns.get(turn_id)
        if handle is None:
            handle = self._turns[turn_id] = TurnHandle(turn_id, self.cancel)
        return handle

    async def cancel(self, turn: str | TurnHandle) -> Turn:
        """Stop a turn, before, during or after it runs; when this returns no more text comes."""
        turn_id = turn if isinstance(turn, str) else turn.turn_id
        cancel = CancelTurnRequest(conversation_id=self.conversation_id, turn_id=turn_id)
        accepted = await self._ask(ConverseRequest(cancel=cancel))
        self._accept(accepted.turn)
        return accepted.turn

    def typing(self, typing: bool = True) -> None:
        """Tell others that the user is typing; dropped while the connection is away."""
        if self._asks.outbox.qsize() < _MOST_UNSENT:
            said = SetTyping(conversation_id=self.conversation_id, typing=typing)
            self._asks.outbox.put_nowait(ConverseRequest(typing=said))

    async def _ask(self, request: ConverseRequest) -> Accepted:
        if self._error is not None:
            raise self._error
        return await self._asks.ask(request)

    def _accept(self, turn: Turn) -> None:
        handle = self._turns.get(turn.turn_id)
        if handle is not None:
            handle.accepted(turn)
            if handle.done:
                del self._turns[turn.turn_id]

    async def _run(self) -> None:
        while True:
            try:
                await self._connection()
            except Cancelled:
                return self._fail(connection_lost("the watch was cancelled"))
            except AntiphonError as error:
                try:
                    await self._redial.pause(error)
                except AntiphonError as final:
                    return self._fail(final)
            except Exception as defect:  # of on_event, for one: nobody may wait for ever
                self._fail(AntiphonError(grpc.StatusCode.INTERNAL, repr(defect)))
                raise

    async def _connection(self) -> None:
        """One connection; ends by an exception only."""
        self._redial.connecting()
        async with self._dial() as wire:
            await wire.send(ConverseRequest(subscribe=self._place.watch()))
            tasks = [asyncio.create_task(self._feel(wire), name="antiphon pulse")]
            try:
                while True:
                    frame = await wire.receive()
                    created = frame.HasField("created")
                    self._pulse.heard(lives=not created)
                    self._take(frame)
                    if created and len(tasks) == 1:
                        writing = asyncio.create_task(self._write(wire), name="antiphon writer")
                        tasks.append(writing)
            except Unauthenticated:
                wire.reject_token()
                raise
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)

    async def _feel(self, wire: ConverseWire) -> None:
        await self._pulse.keep()
        wire.give_up()

    def _awaited(self) -> bool:
        """Whether somebody waits for an answer."""
        return bool(self._turns) or self._asks.waiting

    def _ask_for_a_word(self) -> None:
        """The end of a watch that there is not is answered at once, wherever the stream ends."""
        if self._asks.outbox.qsize() < _MOST_UNSENT:
            none = CancelWatch(watch_id=_NO_WATCH)
            self._asks.outbox.put_nowait(ConverseRequest(unsubscribe=none))

    async def _write(self, wire: ConverseWire) -> None:
        try:
            for request in self._asks.unanswered():
                await wire.send(request)
            while True:
                await wire.send(await self._asks.outbox.get())
        except AntiphonError:
            return  # the reader learns of it too, and connects again

    def _take(self, frame: ConverseResponse) -> None:
        if frame.HasField("accepted"):
            self._asks.accepted(frame.accepted)
        elif frame.HasField("error"):
            self._refused(frame.error)
        else:
            for event in self._intake.take(frame):
                self._apply(event)
        if frame.HasField("created") and not self._connected.done():
            self._connected.set_result(None)

    def _refused(self, refused: ConverseError) -> None:
        """One message failed. Raises Unauthenticated if a new token and another try are due."""
        error = error_of_status(refused.error)
        if error.reason == "TOKEN_EXPIRED":
            raise error  # the next connection asks again
        self._asks.refused(refused)

    def _apply(self, event: Event) -> None:
        self.replay(event)
        if self._on_event is not None:
            self._on_event(event)

    def replay(self, event: Event) -> None:
        """Take in an event of a turn that is waited for, from a log that was read otherwise."""
        if told := self._trees.take(event):
            root, news = told
            if root in self._turns:
                self._turns[root].tell(news)
        handle = self._turns.get(event.turn_id)
        if handle is not None:
            handle.apply(event)
            if handle.done:
                del self._turns[event.turn_id]

    def _fail(self, error: AntiphonError) -> None:
        self._error = error
        if not self._connected.done():
            self._connected.set_exception(error)
            self._connected.exception()  # nobody may be waiting
        self._asks.fail(error)
        for handle in self._turns.values():
            handle.fail(error)

    async def _stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        if self._error is None:
            self._fail(connection_lost("the conversation was closed"))
