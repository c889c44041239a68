"""What a program offers, and the loop that serves it."""

import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from antiphon.dispatcher.v1.worker_pb2 import Credit
from antiphon.dispatcher.v1.worker_service_pb2 import WorkRequest
from antiphon_client.address import DEFAULT_ADDRESS
from antiphon_client.client import Client
from antiphon_client.credentials import ApiKey, Credentials
from antiphon_client.redial import Connection, ignore_connection
from antiphon_client.tls import Tls
from antiphon_client.worker.dialing import dialing
from antiphon_client.worker.handlers import Handle, Handler, Kind, Loss
from antiphon_client.worker.library import library
from antiphon_client.worker.session import Profile, Session
from antiphon_client.worker.signals import told_by_signals

GRACE_S = 20.0
"""Less than the 30 s in which Kubernetes kills what it has told to end."""


class Worker:
    """A program that dials in, is assigned turns, and works on ``slots`` of them at once at most.

    ``deployment`` is what its ``version`` is one of. Address and API key are those of
    ANTIPHON_ADDRESS and ANTIPHON_API_KEY unless given. ``on_connection`` is told how its streams
    are. Told to stop, it lets its turns end for ``grace_s`` seconds, and gives back the rest:
    whoever kills it later than that loses none.
    """

    def __init__(
        self,
        deployment: str,
        *,
        version: str = "",
        slots: int = 1,
        address: str = "",
        credentials: Credentials | None = None,
        tls: Tls | None = None,
        on_connection: Callable[[Connection], None] = ignore_connection,
        grace_s: float = GRACE_S,
    ) -> None:
        self._deployment, self._version = deployment, version
        self._slots, self._grace_s = slots, grace_s
        self._address = address or os.environ.get("ANTIPHON_ADDRESS") or DEFAULT_ADDRESS
        self._credentials = credentials or _key_of_environment()
        self._tls = tls
        self._on_connection = on_connection
        self._handlers: dict[str, Handler] = {}
        self._session: Session | None = None
        library()  # reads files, which a running loop would wait for

    def handler(
        self,
        name: str,
        *,
        description: str = "",
        loss: Loss = "resume",
        takes: Sequence[Kind] = (),
        examples: Sequence[str] = (),
    ) -> Callable[[Handle], Handle]:
        """Serve a handler by the function below: `@worker.handler("name")`.

        It is run for each turn. Returning ends the turn; raising WorkFailed fails it with words
        for people, and another exception with a general sentence. ``loss`` is what becomes of a
        turn whose worker is gone: "resume" runs it again, with what was said as
        ``work.resumed_text``. A message with other parts than text is refused unless it ``takes``
        them. ``examples`` are messages that are for it, at most 64 of 1024 bytes: routes choose
        among experts by these and by their descriptions. What computes for long does so in a
        thread (`asyncio.to_thread`): while nothing else runs the server hears nothing, and after
        some seconds gives the turns to others.
        """

        def add(run: Handle) -> Handle:
            if name in self._handlers:
                raise ValueError(f"there are two handlers {name!r}")
            self._handlers[name] = Handler(name, run, description, loss, takes, examples)
            return run

        return add

    @property
    def slots(self) -> int:
        """How many turns it works on at once at most; those that it has stay when it gets less."""
        return self._slots

    @slots.setter
    def slots(self, slots: int) -> None:
        self._slots = slots
        if self._session is not None:
            self._session.held.slots = slots
            self._session.say(WorkRequest(credit=Credit(slots=slots)))

    async def run(self, *, signals: bool = True) -> None:
        """Work until :meth:`stop`; or with ``signals``, SIGTERM or SIGINT: a second has no grace.

        Connects again for ever. Raises AntiphonError only where that would not help: an API key
        that is refused, handlers none of which its user may serve (HANDLER_NOT_ALLOWED).
        """
        if not self._handlers:
            raise ValueError("a worker needs a handler")
        if self._credentials is None:
            raise ValueError(_NO_KEY)
        async with self._client() as client:
            profile = Profile(self._deployment, self._version, self._handlers)
            dial = dialing(self._address, self._tls)
            self._session = Session(profile, self._slots, client, dial, self._on_connection)
            try:
                with told_by_signals(self._told) if signals else nullcontext():
                    await self._session.run()
            finally:
                self._session = None

    def stop(self, grace_s: float | None = None) -> None:
        """Take no more turns, let those it has end for so long, give back the rest, and end.

        Of one that does not run nothing comes. Called again, the shorter time counts.
        """
        if self._session is not None:
            self._session.stop(self._grace_s if grace_s is None else grace_s)

    def _told(self) -> None:
        """By a signal: the first one asks, the second one has it."""
        assert self._session is not None
        self.stop(0.0 if self._session.is_stopping else self._grace_s)

    def _client(self) -> Client:
        return Client.connect(
            self._address, self._credentials, tls=self._tls, device=f"worker {self._deployment}"
        )


_NO_KEY = (
    "a worker needs a key: set ANTIPHON_API_KEY to the one that `antiphon workers invite HANDLER` "
    "prints, or give credentials"
)


def _key_of_environment() -> ApiKey | None:
    key = os.environ.get("ANTIPHON_API_KEY")
    return ApiKey(key, end_session=True) if key else None
