"""What the tests of streams share."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from antiphon_server.events.frames import Batch, Frame
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import NewEvent, Scope
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from tests.e2e.until import SOON_S

F = TypeVar("F")
SCOPE = Scope("conversations/conv_00000001")
OTHER = Scope("conversations/conv_00000002")
ANNA = Principal("user", UserId("user_anna"), SessionId("sess_1"))


class Gate:
    """Lets everybody read but those that are locked out of a scope."""

    def __init__(self) -> None:
        self.locked: set[Scope] = set()

    async def check_read(self, principal: Principal, scope: Scope) -> None:
        if scope in self.locked:
            raise not_found(scope)

    async def verify(self, access_token: str) -> Principal:
        if access_token != "good":
            raise DomainError(Reason.TOKEN_INVALID)
        return ANNA


def events(count: int = 1, kind: int = 10) -> list[NewEvent]:
    """So many of one kind."""
    return [NewEvent(kind, "", b"\x2a\x01x") for _ in range(count)]


async def until(frames: AsyncIterator[Frame], enough: Callable[[list[Frame]], bool]) -> list[Frame]:
    """Take frames until there are enough; 5 s at most."""
    taken: list[Frame] = []
    async with asyncio.timeout(SOON_S):
        while not enough(taken):
            taken.append(await anext(frames))
    return taken


async def next_of(frames: AsyncIterator[Frame], kind: type[F]) -> F:
    """The next frame, which is of that kind."""
    (frame,) = await until(frames, bool)
    assert isinstance(frame, kind), frame
    return frame


@asynccontextmanager
async def running(log: EventLog) -> AsyncIterator[EventLog]:
    """The log, while its writer runs."""
    writer = asyncio.create_task(log.run())
    try:
        yield log
    finally:
        log.close()
        await writer


def offsets(frames: list[Frame]) -> list[int]:
    """Those of all events in the batches among ``frames``."""
    return [record.last for it in frames if isinstance(it, Batch) for record in it.records]
