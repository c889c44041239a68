"""What goes on with a memory of others needs from outside."""

from collections.abc import Collection, Sequence
from typing import Protocol

from antiphon_server.memory.external.model import (
    Behind,
    Change,
    Described,
    Hit,
    Place,
    Question,
    Standing,
    Waiting,
)


class ExternalMemory(Protocol):
    """A memory of others. Each call raises DomainError if it fails, or says what makes no sense.

    What a call may take is bounded by whoever makes it, who cancels it.
    """

    async def describe(self) -> Described:
        """Which store it is."""
        ...

    async def remember(self, changes: Sequence[Change]) -> None:
        """Tell it at most MOST_CHANGES; those that it knows change nothing."""
        ...

    async def search(self, question: Question) -> Sequence[Hit]:
        """What it finds, the best first: anything at all, as many as it likes."""
        ...

    async def still_there(self, places: Sequence[Place]) -> Collection[str]:
        """The ids of those of some forgotten ones of which it has something left.

        It is asked of no more at once than it is told.
        """
        ...


class ExternalProgress(Protocol):
    """How far a memory of others, ``name``, was told. All raise DomainError STORE_UNAVAILABLE."""

    async def claim(self, name: str, owner: str, now_us: int, until_us: int) -> Standing | None:
        """Be the one server that tells it until then; None while another one is."""
        ...

    async def begin_anew(self, name: str, store_id: str | None) -> None:
        """Tell it everything from now on, as that store.

        None: as the one that it is, since whoever calls said so, which the audit trail is told.
        """
        ...

    async def behind(self, name: str, limit: int, now_us: int) -> Behind:
        """What it is to be told next: in order within a scope, each memory as it is now.

        What is not in use, or has expired by ``now_us``, is to go.
        """
        ...

    async def advance(self, name: str, standing: Standing, behind: Behind, now_us: int) -> bool:
        """Keep that it was told; what is to go is to be asked about from now on.

        False, and nothing changes, if it was begun anew meanwhile.
        """
        ...

    async def unconfirmed(self, name: str, now_us: int, limit: int) -> Sequence[Change]:
        """What it is to be asked about by now: what was to go, at its revision."""
        ...

    async def confirm(
        self, name: str, gone: Collection[str], left: Collection[str], now_us: int
    ) -> None:
        """Keep of which it says that they are gone; the others are asked about later and later."""
        ...

    async def waiting(self, name: str) -> Waiting:
        """How much waits; many changes are not counted to the end."""
        ...

    async def store_id(self, name: str) -> str:
        """What it was known as last; empty if never."""
        ...
