"""What brings notifications from where they happened to those who are told.

A note is kept in the transaction in which a turn's end is stored, and forgotten in the one in
which its deliveries are: a crash in between tells it again, by the same id, which logs and
deliveries know. So servers need no leases on notes.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence

from antiphon_server.notifying.model import Note
from antiphon_server.notifying.ports import NoteStore, TellsUsers
from antiphon_server.runtime.concurrency.tasks import every
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.errors.passing import PASSING
from antiphon_server.runtime.telemetry.structured import structlog

LOOK_S = 5.0
AGE_US = 10_000_000
"""What is older and not told was left by a server that died, or could not be told then."""
BATCH = 100
AT_ONCE = 16
MOST_HELD = 10_000
"""Notes of which this process knows; what is more is found by the next look."""

log = structlog.get_logger(__name__)


def _now_us() -> int:
    return time.time_ns() // 1000


class Telling:
    """Tells, as long as it runs; ``delivered`` is called when there are new deliveries."""

    def __init__(
        self,
        store: NoteStore,
        users: TellsUsers,
        delivered: Callable[[], None],
        now_us: Callable[[], int] = _now_us,
    ) -> None:
        self._store, self._users, self._delivered = store, users, delivered
        self._now_us = now_us
        self._held: deque[Note] = deque(maxlen=MOST_HELD)
        self._some = asyncio.Event()
        self._age_us = 0

    def take(self, notes: Sequence[Note]) -> None:
        """Tell these soon; they are kept already."""
        if notes:
            self._held.extend(notes)
            self._some.set()

    async def run(self) -> None:
        """Tell what comes, until cancelled."""
        while True:
            await self._some.wait()
            self._some.clear()
            try:
                await self.tell_held()
            except DomainError as error:
                log.warning("notifications have to wait", why=error.reason)
            except Exception:
                log.exception("notifications were not told, and stay")

    async def tell_held(self) -> None:
        """Tell what was taken."""
        while self._held:
            few = range(min(BATCH, len(self._held)))
            await self._tell([self._held.popleft() for _ in few])

    async def run_left(self) -> None:
        """Look for what was left, at once and then regularly, until cancelled."""
        await every(LOOK_S, self.look)

    async def look(self) -> None:
        """Tell what was left: at first all that there is, then what is older than ten seconds."""
        before_us = self._now_us() - self._age_us
        while notes := await self._store.left(before_us, BATCH):
            if not await self._tell(notes):
                break
        self._age_us = AGE_US

    async def _tell(self, notes: Sequence[Note]) -> bool:
        """Tell a batch; whether all of it is told."""
        slots = asyncio.Semaphore(AT_ONCE)

        async def tell(note: Note) -> bool:
            async with slots:
                return await self._told(note)

        told = await asyncio.gather(*map(tell, notes))
        done = [note for note, is_told in zip(notes, told, strict=True) if is_told]
        if done and await self._store.told(done, self._now_us()):
            self._delivered()
        return all(told)

    async def _told(self, note: Note) -> bool:
        """Whether the user knows it, or can't be told in any case."""
        try:
            await self._users.tell(note)
        except DomainError as error:
            if error.reason in PASSING:
                return False
            log.warning("a notification can't be told", why=error.reason, id=note.notification_id)
        except Exception:
            log.exception("a notification was not told, and stays", id=note.notification_id)
            return False
        return True
