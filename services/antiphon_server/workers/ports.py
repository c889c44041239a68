"""What workers need from outside."""

from collections.abc import Collection, Sequence
from typing import Protocol

from antiphon_server.dispatcher.handling import (
    AskedCall,
    Attendance,
    CallPaused,
    CallResult,
    ToolCall,
    Turn,
)
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.workers.model import (
    Begun,
    HandlerName,
    Known,
    Parent,
    Release,
    Rollout,
    SeenVersion,
    VersionsOf,
    WorkerPermission,
)


class PermissionStore(Protocol):
    """Keeps which users' workers may serve what, for all servers."""

    async def add(self, parent: Parent, handler: HandlerName, user_id: UserId) -> None:
        """Store, in the caller's name, that they may; one that is there stays as it is.

        Raises DomainError LIMIT_EXCEEDED.
        """
        ...

    async def remove(self, parent: Parent, handler: HandlerName, user_id: UserId) -> None:
        """Forget that they may, if it is there."""
        ...

    async def all(self) -> Known:
        """All of the installation."""
        ...

    async def version(self) -> int:
        """A number that is another one after each change."""
        ...

    async def listed(
        self, parent: Parent, after: tuple[str, str], limit: int
    ) -> Sequence[WorkerPermission]:
        """Those of a parent by handler and user, from behind ``after`` = (handler, user id)."""
        ...


class VersionStore(Protocol):
    """Keeps of what deployments workers are, in which versions, for all servers."""

    async def register(self, keys: Collection[tuple[Parent, Release]]) -> Sequence[SeenVersion]:
        """Store that a worker of these comes; returns those for which there is room.

        Those that are known have theirs. Raises DomainError LIMIT_EXCEEDED if there is none at all.
        """
        ...

    async def seen(self, keys: Collection[tuple[Parent, Release]]) -> Sequence[SeenVersion]:
        """Store that workers of these are there; returns them, with the numbers that they have."""
        ...

    async def forget_gone(self, before_us: int, limit: int) -> int:
        """Forget those without an open turn that were last seen before then; so many at most.

        Returns how many.
        """
        ...

    async def changes(self) -> int:
        """A number that is another one after each new version, each forgotten, each rollout."""
        ...

    async def all(self) -> tuple[Sequence[SeenVersion], Sequence[Rollout]]:
        """All of the installation."""
        ...

    async def of(self, parent: Parent) -> VersionsOf:
        """A parent's, with how many open turns each has."""
        ...

    async def set(self, rollout: Rollout, etag: str) -> None:
        """Store, in the caller's name, which versions begin turns; the same again is nothing.

        Raises DomainError ETAG_MISMATCH if it is not what ``etag`` says, unless that is empty.
        """
        ...

    async def begin(self, begun: Begun) -> None:
        """Store with an open turn which version has it; nothing with one that has ended."""
        ...


class BegunTurns(Protocol):
    """Is told which turns are at which versions."""

    def begin(self, begun: Begun) -> None:
        """It is: nobody waits for whether that is stored."""
        ...


class Users(Protocol):
    """Knows who has an account."""

    async def require(self, user_id: UserId) -> None:
        """Return if there is such a user. Raises DomainError NOT_FOUND."""
        ...


class TurnBudgets(Protocol):
    """Knows what budgets leave to a turn."""

    async def left(self, turn: Turn) -> Sequence[bytes]:
        """The contract's BudgetLeft messages, serialised; none where it can't be found out."""
        ...


class Grants(Protocol):
    """Makes credentials for turns."""

    def issue(self, turn: Turn, until: float) -> str:
        """An access token for this attempt of the turn alone, until then in Unix seconds."""
        ...


class Tools(Protocol):
    """Knows and calls the tools of a turn's conversation."""

    async def planned(self, turn: Turn, calls: Sequence[ToolCall]) -> Sequence[AskedCall]:
        """How each is to be made, or why it can't be. Raises DomainError SERVICE_UNAVAILABLE."""
        ...

    async def run(
        self, turn: Turn, call: ToolCall, attendance: Attendance
    ) -> CallResult | CallPaused:
        """Make a call, or go on with one that has paused. Raises DomainError TOOL_*."""
        ...


class Contents(Protocol):
    """Reads and writes a message's parts, serialised."""

    def of_text(self, text: str) -> bytes:
        """One part of text."""
        ...

    def text(self, content: bytes) -> str:
        """All text in it."""
        ...

    def texts(self, content: bytes) -> Sequence[str]:
        """What each part says; of a reference its address."""
        ...

    def with_texts(self, content: bytes, texts: Sequence[str]) -> bytes:
        """The same with other texts; a reference whose address is another becomes what it says."""
        ...


class Access(Protocol):
    """Knows whose tokens may open a worker's stream."""

    async def verified(self, token: str) -> Principal:
        """Who the token speaks for. Raises DomainError TOKEN_INVALID, and what else it may be."""
        ...

    async def recheck(self, principal: Principal, token: str) -> None:
        """Return if they may go on. Raises DomainError as a new call would; asks memory alone."""
        ...
