"""What anomalies need from outside."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from antiphon_server.anomalies.model import (
    About,
    Detector,
    Effect,
    Flag,
    Key,
    Raised,
    Signal,
    Throttle,
)
from antiphon_server.runtime.revisions.ports import RevisionStore

DetectorStore: TypeAlias = RevisionStore[Detector]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which flags: of a parent, or of all if that is empty; those that changed last come first.

    ``before`` is (changed_us, flag id) of the last one of the page before.
    """

    parent: str = ""
    subject: str = ""
    cleared: bool = False
    changed_after_us: int = 0
    before: tuple[int, str] | None = None
    limit: int = 50


class FlagStore(Protocol):
    """Keeps flags: open ones, and for 90 days those that were cleared."""

    async def raise_all(self, raised: Sequence[Raised]) -> Sequence[Flag]:
        """Add to flags that are open, or open them; each does what its detector says now.

        What has an effect, or another, is noted for the audit trail in the same step.
        """
        ...

    async def list(self, wanted: Wanted) -> Sequence[Flag]:
        """Those that are wanted."""
        ...

    async def get(self, parent: str, flag_id: str) -> Flag | None:
        """One, of a parent or of any if that is empty."""
        ...

    async def clear(self, parent: str, flag_id: str, reason: str) -> Flag | None:
        """Close one in the caller's name, and note it for the audit trail; None if there is none.

        One that is closed stays as it is.
        """
        ...

    async def open_by_effect(self) -> Mapping[Effect, int]:
        """How many are open, by what they do; those of which there are none may be left out."""
        ...

    async def throttles(self) -> Sequence[Throttle]:
        """Those that bite now."""
        ...

    async def changed_since(self, since_us: int) -> Mapping[str, int]:
        """When flags were changed that were from then on, by their ids."""
        ...

    async def these(self, flag_ids: Collection[str]) -> Sequence[Flag]:
        """Those of them that are there."""
        ...


class Allowance(Protocol):
    """How much of somebody is let through."""

    def wait(self, key: Key, per_minute: int, count: int = 1) -> float:
        """Let one message through and return 0.0, or the seconds until one would be.

        With ``count`` 0 it is only told whether one would be.
        """
        ...


class Spending(Protocol):
    """The ledger."""

    async def spent(self, parent: str, about: About, begin: float, end: float) -> Sequence[Signal]:
        """What each subject's calls took that began in that time. Raises DomainError."""
        ...


class Elsewhere(Protocol):
    """What servers of one store tell each other of what was said, for some minutes.

    Everything raises DomainError.
    """

    async def tell(self, signals: Sequence[Signal]) -> None:
        """Tell the others, and this server's own next life."""
        ...

    async def heard(self) -> Sequence[Signal]:
        """What others have told since the last time, of which the first is of some minutes ago.

        It is as much as is read at once; what comes behind that is told the next time.
        """
        ...

    async def forget(self) -> None:
        """Remove what is older than that."""
        ...


class Happens(Protocol):
    """What others keep of what has happened: the audit trail of sign-ins, filters of verdicts."""

    async def newer(self, than: str, since: float) -> tuple[str, Sequence[Signal]]:
        """What is behind a place, the oldest first, and the newest place, which is never empty.

        With no place it is what happened from ``since`` on. Raises DomainError.
        """
        ...
