"""Following a scope's log: every event once, in order, over any number of connections."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from antiphon.events.v1.event_pb2 import Event
from antiphon.events.v1.event_service_pb2 import SubscribeRequest, SubscribeResponse
from antiphon_client.errors import AntiphonError, HistoryLost, Unauthenticated, connection_lost
from antiphon_client.frames import Cancelled, Intake
from antiphon_client.place import Place
from antiphon_client.redial import Redial
from antiphon_client.wire import Wire

SubscribeWire = Wire[SubscribeRequest, SubscribeResponse]
HistoryLostPolicy = Callable[[HistoryLost], Awaitable[str]]


async def restart_at_earliest(lost: HistoryLost) -> str:
    """A policy for lost history: go on with the first event that there still is."""
    return lost.earliest_cursor


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in order. Store ``cursor`` (and ``offset``) together with what they changed."""

    scope: str
    events: Sequence[Event]
    cursor: str
    offset: int | None


class Follow:
    """A scope's events: iterate over it, or over :meth:`batches`.

    It connects again by itself and goes on right after what it gave. It ends with an
    AntiphonError where it can't: access removed, GapError, HistoryLost (unless
    ``on_history_lost`` gives a cursor to go on from), the server away for too long.
    """

    def __init__(
        self,
        dial: Callable[[], SubscribeWire],
        redial: Redial,
        place: Place,
        on_history_lost: HistoryLostPolicy | None = None,
    ) -> None:
        self._dial = dial
        self._redial = redial
        self._place = place
        self._on_history_lost = on_history_lost
        self._intake = Intake(place, redial)

    @property
    def cursor(self) -> str:
        """The position after the last batch that was taken; empty before the first."""
        return self._place.cursor

    async def __aiter__(self) -> AsyncGenerator[Event]:
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                for event in batch.events:
                    yield event

    async def batches(self) -> AsyncGenerator[Batch]:
        """The events in the pieces they come in, each with the cursor after it."""
        place = self._place
        while True:
            try:
                async with aclosing(self._connection()) as pieces:
                    async for events in pieces:
                        yield Batch(place.scope, events, place.cursor, place.offset)
            except Cancelled:
                return
            except HistoryLost as lost:
                await self._restart(lost)
            except AntiphonError as error:
                await self._redial.pause(error)

    async def _connection(self) -> AsyncGenerator[Sequence[Event]]:
        """What one connection gives; ends by an exception only."""
        self._redial.connecting()
        async with self._dial() as wire:
            await wire.send(SubscribeRequest(create=self._place.watch()))
            while True:
                try:
                    events = self._intake.take(await wire.receive())
                except Unauthenticated:
                    wire.reject_token()
                    raise
                if events:
                    yield events

    async def _restart(self, lost: HistoryLost) -> None:
        if self._on_history_lost is None:
            raise lost
        self._place.restart(await self._on_history_lost(lost))
        await self._redial.pause(connection_lost("history was lost"))
