"""One client's stream: many watches, one writer, constant memory."""

import asyncio
import random
import time
from collections.abc import AsyncIterator

from antiphon_server.events.frames import Close, Draining, Ended, Frame, Progress
from antiphon_server.events.history import history_was_lost
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import AccessChange
from antiphon_server.events.pacing import Pacing
from antiphon_server.events.ports import Gatekeeper
from antiphon_server.events.wakeup import Wakeup
from antiphon_server.events.watch import Watch, WatchRequest
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.limits.share_costs import FRAME_S
from antiphon_server.runtime.limits.shares import FREE, Share

MAX_WATCHES = 256
MAX_CONTROL = 1024
HEARTBEAT_S = (15.0, 25.0)
_NO_ACCESS = frozenset(
    {Reason.NOT_FOUND, Reason.PERMISSION_DENIED, Reason.SCOPE_MISSING, Reason.UNAUTHENTICATED}
)


class Subscription:
    """The watches of one principal on one stream.

    The client's side calls :meth:`create`, :meth:`cancel`, :meth:`refresh` and
    :meth:`request_progress`. One writer sends what :meth:`frames` yields. With ``ends_when_empty``
    the stream ends with its last watch. Batches wait for the ``share`` of its user. After a silence
    of a random time between the two values of ``heartbeat_s``, it reports its progress.
    """

    def __init__(
        self,
        log: EventLog,
        gatekeeper: Gatekeeper,
        principal: Principal,
        pacing: Pacing,
        *,
        ends_when_empty: bool = False,
        heartbeat_s: tuple[float, float] = HEARTBEAT_S,
        share: Share = FREE,
    ) -> None:
        self.principal = principal
        self._share = share
        self._ends_when_empty = ends_when_empty
        self._heartbeat_s = heartbeat_s
        self._log = log
        self._gatekeeper = gatekeeper
        self._pacing = pacing
        self._watches: dict[str, Watch] = {}
        self._ready: dict[Watch, None] = {}
        self._control: list[Frame] = []
        self._recheck: dict[Watch, None] = {}
        self._wakeup = Wakeup()
        self._ending: Ended | None = None
        self._next_heartbeat = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._opening: set[str] = set()
        self._access_changes = 0
        self._progress_wanted = False
        self._closed = False

    async def create(self, request: WatchRequest) -> None:
        """Begin a watch. The outcome is sent on the stream."""
        watch_id = request.watch_id
        try:
            self._reserve(watch_id)
        except DomainError as error:
            self._say(Ended(watch_id, Close.REJECTED, error))
            return
        try:
            watch = await self._open(request)
        except DomainError as error:
            reason = Close.HISTORY_LOST if history_was_lost(error) else Close.REJECTED
            self._say(Ended(watch_id, reason, error))
            return
        finally:
            self._opening.discard(watch_id)
        if self._closed:
            watch.close()
            return
        self._watches[watch_id] = watch
        self._say(watch.created())
        self._on_ready(watch)

    def _reserve(self, watch_id: str) -> None:
        if watch_id in self._watches or watch_id in self._opening:
            raise DomainError(Reason.WATCH_EXISTS, watch_id=watch_id)
        if len(self._watches) + len(self._opening) >= MAX_WATCHES:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MAX_WATCHES} watches a stream")
        self._opening.add(watch_id)

    async def _open(self, request: WatchRequest) -> Watch:
        while True:
            changes = self._access_changes
            await self._gatekeeper.check_read(self.principal, request.scope)
            watch = await Watch.open(self._log, request, self._on_ready, self.principal.user_id)
            if changes == self._access_changes:
                return watch
            watch.close()  # the answer may be from before the change

    def cancel(self, watch_id: str) -> None:
        """End a watch. An unknown watch is not an error."""
        watch = self._watches.get(watch_id)
        if watch is None:
            self._say(Ended(watch_id, Close.CANCELLED))
        else:
            self._end_watch(watch, Close.CANCELLED)

    def cancel_all(self) -> None:
        """End the stream at the client's request."""
        self.end(Ended("", Close.CANCELLED))

    async def refresh(self, access_token: str) -> None:
        """Continue with a new token of the same user. An invalid one ends the stream."""
        self.adopt(await verified(self._gatekeeper, self.principal, access_token))

    def adopt(self, token: Principal | DomainError) -> None:
        """Continue with the principal that :func:`verified` found for a new token."""
        if isinstance(token, DomainError):
            self.end(Ended("", Close.SESSION_ENDED, token))
        else:
            self.principal = token
            self._check_all()  # it may be limited to less

    def request_progress(self) -> None:
        """Report the progress of each watch now."""
        self._progress_wanted = True
        self._interrupt()

    def access_changed(self, change: AccessChange) -> None:
        """Check access again where the change concerns it."""
        if change.session_id is not None and change.session_id == self.principal.session_id:
            error = DomainError(Reason.SESSION_REVOKED)
            self.end(Ended("", Close.SESSION_ENDED, error))
        if change.anybody or (change.user_id and change.user_id == self.principal.user_id):
            self._check_all()

    def _check_all(self) -> None:
        self._access_changes += 1
        for watch in self._watches.values():
            self._recheck[watch] = None
        self._interrupt()

    def check_token(self) -> None:
        """End a person's stream as if its token had expired."""
        if self.principal.kind == "user":
            self.end(Ended("", Close.SESSION_ENDED, DomainError(Reason.TOKEN_EXPIRED)))

    def drain(self, reconnect_after_s: float) -> None:
        """Tell the client that the server is stopping, and end the stream."""
        self._say(Draining(reconnect_after_s))
        self.end(Ended("", Close.DRAINING, DomainError(Reason.DRAINING, retry_after=1.0)))

    def end(self, ended: Ended) -> None:
        """End the stream after the frames that are still to be sent."""
        self._ending = self._ending or ended
        self._interrupt()

    def close(self) -> None:
        """Stop following; nothing more is sent."""
        self._closed = True
        self._disarm()
        for watch in self._watches.values():
            watch.close()
        self._watches.clear()
        self._ready.clear()
        self._pacing.forget(self)

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield the frames to send until the stream ends. Ask for the next after sending one."""
        self._postpone_heartbeat()
        while True:
            if self._control:
                yield self._control.pop(0)
            elif self._ending is not None:
                yield self._ending
                return
            elif self._ends_when_empty and not self._watches:
                return
            elif self._progress_wanted:
                self._progress_wanted = False
                yield self._progress()
            elif time.time() >= self.principal.expires_at:
                self.end(Ended("", Close.SESSION_ENDED, DomainError(Reason.TOKEN_EXPIRED)))
            elif self._recheck:
                await self._check_access()
            elif self._ready:
                frame = await self._take()
                if frame is not None:
                    yield frame
            else:
                await self._idle()

    async def _take(self) -> Frame | None:
        delay = self._pacing.delay(self)
        if delay:
            await asyncio.sleep(delay)
            if self._control or self._ending or self._recheck or not self._ready:
                return None
        if not await self._shared() or not self._ready:
            return None
        watch = next(iter(self._ready))
        try:
            frame = await watch.take(self._log)
        except DomainError as error:
            if not history_was_lost(error):
                raise  # the stream ends with that status, and can be resumed
            self._end_watch(watch, Close.HISTORY_LOST, error)
            return None
        if self._watches.get(watch.request.watch_id) is not watch:
            return None  # it was ended meanwhile
        self._ready.pop(watch, None)
        if watch.pending:  # round robin: behind the others
            self._ready[watch] = None
        if not self._ready:
            self._pacing.idle(self)
        if frame is None:
            return None
        self._pacing.wrote(self)
        self._postpone_heartbeat()
        return frame

    async def _shared(self) -> bool:
        """Wait for the user's share. Until then others are not paced for this one's sake."""
        self._pacing.idle(self)
        try:
            return await self._share.take(FRAME_S)
        finally:
            if self._ready:
                self._pacing.ready(self)

    async def _idle(self) -> None:
        """Wait until there is something to do: news, a heartbeat, the token's end."""
        self._wakeup.clear()
        self._arm()
        await self._wakeup.wait()
        if time.monotonic() >= self._next_heartbeat and not self._ready:
            self.request_progress()
            self._postpone_heartbeat()

    def _arm(self) -> None:
        """Be woken in time. Most frames only put the moment off: then it is looked at again."""
        loop = asyncio.get_running_loop()
        expiry = loop.time() + self.principal.expires_at - time.time()
        due = min(self._next_heartbeat, expiry)  # both by the clock of the loop
        if self._alarm is None or self._alarm.when() > due or self._alarm.when() <= loop.time():
            self._disarm()
            self._alarm = loop.call_at(due, self._wakeup.set)

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    async def _check_access(self) -> None:
        watch = next(iter(self._recheck))
        del self._recheck[watch]
        try:
            await self._gatekeeper.check_read(self.principal, watch.request.scope)
        except DomainError as error:
            if error.reason not in _NO_ACCESS:
                raise  # nobody knows now: the stream ends and can be resumed
            self._end_watch(watch, Close.ACCESS_REMOVED, error)

    def _end_watch(self, watch: Watch, reason: Close, error: DomainError | None = None) -> None:
        watch.close()
        self._watches.pop(watch.request.watch_id, None)
        self._recheck.pop(watch, None)
        self._ready.pop(watch, None)
        if not self._ready:
            self._pacing.idle(self)
        request = watch.request
        self._say(Ended(request.watch_id, reason, error, request.scope, watch.cursor))

    def _progress(self) -> Progress:
        watches = self._watches.values()
        return Progress([(w.request.watch_id, w.request.scope, w.cursor) for w in watches])

    def _say(self, frame: Frame) -> None:
        if len(self._control) >= MAX_CONTROL:
            error = DomainError(Reason.OVERLOADED, resource="stream", retry_after=1.0)
            self.end(Ended("", Close.SLOW_READER, error))
            return
        self._control.append(frame)
        self._interrupt()

    def _interrupt(self) -> None:
        """Something is to be said before what waits for its share."""
        self._share.leave()
        self._wakeup.set()

    def _on_ready(self, watch: Watch) -> None:
        if watch not in self._ready:
            if not self._ready:
                self._pacing.ready(self)
            self._ready[watch] = None
            self._wakeup.set()

    def _postpone_heartbeat(self) -> None:
        self._next_heartbeat = time.monotonic() + random.uniform(*self._heartbeat_s)


async def verified(
    gatekeeper: Gatekeeper, caller: Principal, access_token: str
) -> Principal | DomainError:
    """Whom a new token of ``caller`` speaks for, or why it is a bad one."""
    try:
        principal = await gatekeeper.verify(access_token)
    except DomainError as error:
        return error
    same = principal.user_id == caller.user_id
    return principal if same else DomainError(Reason.TOKEN_INVALID)
