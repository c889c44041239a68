"""One life of a worker: streams, one after the other, and the turns that outlive them."""

import asyncio
import logging
import math
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import grpc

from antiphon.dispatcher.v1.worker_pb2 import Credit, Drain, Hello, Welcome
from antiphon.dispatcher.v1.worker_service_pb2 import WorkRequest
from antiphon_client.client import Client
from antiphon_client.errors import AntiphonError, Unauthenticated, connection_lost
from antiphon_client.redial import Connection, Redial, is_resumable
from antiphon_client.status import error_of_status
from antiphon_client.worker.clock import now
from antiphon_client.worker.dialing import Dial
from antiphon_client.worker.handlers import Handler
from antiphon_client.worker.held import Held
from antiphon_client.worker.library import library
from antiphon_client.worker.outgoing import Outgoing
from antiphon_client.worker.running import Runner
from antiphon_client.worker.stream import Stream

LOG = logging.getLogger("antiphon_client.worker")
_STEADY_S = 1.0
_GOOD_BYE_S = 5.0
# Another try would not help, beside credentials that are refused. All else passes, be it a defect.
_FINAL = frozenset(
    {
        "HANDLER_NOT_ALLOWED",
        "INVALID_ARGUMENT",
        "PERMISSION_DENIED",
        "SCOPE_MISSING",
        "USER_DISABLED",
    }
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a worker says of itself."""

    deployment: str
    version: str
    handlers: Mapping[str, Handler]


class Session:
    """Dials until it is told to stop, or retrying would not help."""

    def __init__(
        self,
        profile: Profile,
        slots: int,
        client: Client,
        dial: Dial,
        on_connection: Callable[[Connection], None],
    ) -> None:
        self._profile = profile
        self._client = client
        self._dial = dial
        self._worker_id = f"worker_{secrets.token_hex(13)}"
        self._outgoing = Outgoing()
        self.held = Held(self._outgoing, profile.handlers, Runner(profile.handlers, client).run)
        self.held.slots = slots
        self._redial = Redial(client.tokens, math.inf, on_connection)
        self._stream: Stream | None = None
        self._told: set[str] = set()
        self._stopping = asyncio.Event()
        self._stop_at = math.inf
        self._began = 0.0
        self._said_slots = slots
        self._was_welcomed = False
        self._lost = 0

    async def run(self) -> None:
        """Until :meth:`stop`. Raises AntiphonError if retrying would not help."""
        names = {"dial": self._keep_dialing(), "stop": self._stop(), "leases": self.held.watch()}
        tasks = [asyncio.create_task(it, name=f"antiphon {name}") for name, it in names.items()]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await self.held.close()
        for task in tasks:
            if not task.cancelled():
                task.result()

    def stop(self, grace_s: float) -> None:
        """Take no more turns; end when there are none, or after so many seconds."""
        self._stop_at = min(self._stop_at, now() + grace_s)
        self._stopping.set()
        self.held.changed.set()

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to."""
        return self._stopping.is_set()

    def say(self, frame: WorkRequest) -> None:
        """Send a frame of the worker itself, if there is a stream; a hello says the same."""
        self._outgoing.say(frame)

    async def _keep_dialing(self) -> None:
        while True:
            self._redial.connecting()
            self._began = math.inf
            stream = Stream(self.held, self._outgoing, self._welcomed)
            self._stream = stream
            try:
                await stream.run(self._dial, self._client.tokens, self._hello)
            except AntiphonError as error:
                self._stream = None
                if stream.is_last:
                    return
                self._note(error)
                self._redial.hold(max(0.0, stream.reconnect_at - now()))
                steady = now() - self._began > _STEADY_S
                await self._redial.pause(self._for_now(error), at_once=steady)

    def _note(self, error: AntiphonError) -> None:
        """One that breaks is followed by the next; one that does not come is for people, once."""
        self._lost += 1
        is_for_people = self._lost == (2 if self._was_welcomed else 1)
        level = logging.WARNING if is_for_people else logging.INFO
        LOG.log(level, "there is no stream to the server: %s", error)

    def _hello(self) -> Hello:
        self._said_slots = self.held.slots
        return Hello(
            worker_id=self._worker_id,
            deployment=self._profile.deployment,
            version=self._profile.version,
            handlers=[it.offered() for it in self._profile.handlers.values()],
            slots=self.held.slots,
            held=self.held.hello(),
            library=library(),
        )

    def _welcomed(self, welcome: Welcome) -> None:
        """A stream has begun. Raises AntiphonError if all handlers are refused."""
        self._began, self._was_welcomed, self._lost = now(), True, 0
        self._redial.connected()
        for refused in welcome.refused:
            error = error_of_status(refused.error)
            if len(welcome.refused) >= len(self._profile.handlers):
                raise error
            if refused.name not in self._told:
                self._told.add(refused.name)
                LOG.warning(_REFUSED, refused.name, error, refused.name)
        if self.held.slots != self._said_slots:  # since the hello
            self._outgoing.say(WorkRequest(credit=Credit(slots=self.held.slots)))
        if self._stopping.is_set():
            self._outgoing.say(WorkRequest(drain=Drain()))

    def _for_now(self, error: AntiphonError) -> AntiphonError:
        """Of what passes, what a stream that broke would raise.

        Of several servers one may be too old to know workers, while they are upgraded.
        """
        if isinstance(error, Unauthenticated) or is_resumable(error):
            return error
        if error.code is grpc.StatusCode.UNIMPLEMENTED:
            passes = self._was_welcomed
        else:
            passes = bool(error.reason) and error.reason not in _FINAL
        return connection_lost(str(error), error.retry_after) if passes else error

    async def _stop(self) -> None:
        await self._stopping.wait()
        self.held.is_draining = True
        self._outgoing.say(WorkRequest(drain=Drain()))
        while len(self.held) and (left := self._stop_at - now()) > 0:
            self.held.changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self.held.changed.wait()
        self.held.give_back("this worker stops")
        await self.held.close()
        await self._say_good_bye()

    async def _say_good_bye(self) -> None:
        """Let what was said arrive: the server ends the stream when it has read all."""
        if self._stream is None or not math.isfinite(self._began):
            return
        self._stream.end()
        await asyncio.sleep(_GOOD_BYE_S)  # the end of the stream ends this, too


_REFUSED = (
    "the handler %r gets no turns: %s. Who manages the installation, or a workspace, allows it by "
    "`antiphon workers allow %s USER`"
)
