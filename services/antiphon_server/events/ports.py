"""What the log needs from outside."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from antiphon_server.events.model import (
    Append,
    Appended,
    Commit,
    Folded,
    Head,
    Offset,
    Page,
    Record,
    Scope,
)
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors import DomainError


class LogStore(Protocol):
    """Stores the logs."""

    async def append(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        """Commit the batch in order, and return the place or the refusal of each append.

        Each append is all or none. A refused one (FENCED, REQUEST_ID_REUSED) does not affect the
        others. Offsets are contiguous per scope. An append that folds a turn removes its deltas in
        the same commit, if it has them all; one with a redaction makes it there, too. Returns after
        the commit is on disk. Raises DomainError STORE_UNAVAILABLE if nothing was stored.
        """
        ...

    async def head(self, scope: Scope) -> Head:
        """The end of a log. An unknown scope gets an empty log."""
        ...

    async def read(
        self, scope: Scope, after: Offset, max_events: int, max_bytes: int, kinds: Collection[int]
    ) -> Page:
        """Events after ``after`` in order, of ``kinds`` (empty means all).

        Returns at least one event if there is one, however large, then up to both limits. It does
        not check that ``after`` can still be read.
        """
        ...

    async def commits_after(
        self, after: Mapping[Scope, Offset], max_events: int
    ) -> Sequence[Commit]:
        """What was committed to scopes behind a position of each; none for those without news.

        At most ``max_events`` and some MB in all, so a commit may tell of fewer events than
        there are, or of none: those of the scopes with the least news come first. A scope that
        ends before its position has lost what was behind; that is told, too.
        """
        ...

    async def moved_from(self, places: Mapping[Scope, str]) -> Sequence[Scope]:
        """The scopes whose logs don't end at that cursor, have another history, or none at all."""
        ...

    async def fold(self, scope: Scope, turn_id: str) -> Folded:
        """Remove the turn's text deltas; the event after each run takes over its offsets.

        Deltas that nothing follows stay. Returns how many were removed, and up to where.
        """
        ...

    async def told_of(
        self, resource: str, after: tuple[Scope, Offset] | None, most: int
    ) -> Sequence[tuple[Scope, Record]]:
        """The events, in any log, that tell of that conversation as a whole: a page of them.

        ``after`` is the last of the page before, None for the first page.
        """
        ...

    async def note_told(self, pause_s: float = 0.0) -> None:
        """Bring up to date where conversations are told of, with pauses between small steps.

        That is done by whoever asks, too. What this version appends is known at once.
        """
        ...

    async def scrub(self) -> None:
        """Return when the files hold nothing that was removed; see :meth:`Database.scrub`."""
        ...

    async def trim(self, scope: Scope, before: Offset) -> Offset:
        """Remove events that end before ``before``; returns the earliest offset left."""
        ...

    async def forget_requests(self, before_us: int) -> int:
        """Drop request ids older than ``before_us``; returns how many."""
        ...


class BusListener(Protocol):
    """Listens to what other nodes say."""

    def on_commit(self, commit: Commit) -> None:
        """A node has committed this. It may come late, twice, and in any order."""
        ...

    def on_ephemeral(self, scope: Scope, body: bytes) -> None:
        """A node was told something that is not kept."""
        ...

    def on_missed(self) -> None:
        """Something may have been said that was not heard."""
        ...


class Bus(Protocol):
    """Carries what is committed on a node to the others at once. Nobody waits for it.

    It may lose anything: the store is the truth, and is looked into now and then anyway,
    often while the bus does not carry.
    """

    @property
    def connected(self) -> bool:
        """Whether what others say arrives now."""
        ...

    def send_commit(self, commit: Commit) -> None:
        """Tell of a commit."""
        ...

    def send_ephemeral(self, scope: Scope, body: bytes) -> None:
        """Tell of something that is not kept."""
        ...

    async def run(self, store: str, listener: BusListener) -> None:
        """Carry between the nodes of one ``store``, until cancelled."""
        ...


class Gatekeeper(Protocol):
    """Knows who may read what, now."""

    async def check_read(self, principal: Principal, scope: Scope) -> None:
        """Return if ``principal`` may read ``scope`` now.

        Raises DomainError NOT_FOUND, PERMISSION_DENIED, SCOPE_MISSING or UNAUTHENTICATED
        otherwise, and another if that can't be told now.
        """
        ...

    async def verify(self, access_token: str) -> Principal:
        """Who the token speaks for.

        Raises DomainError TOKEN_INVALID, TOKEN_EXPIRED or SESSION_REVOKED.
        """
        ...
