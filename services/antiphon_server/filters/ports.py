"""What filters need from outside."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from antiphon_server.filters.finding.model import Found
from antiphon_server.filters.model import Filter, Origin, Screening
from antiphon_server.runtime.revisions.ports import RevisionStore

FilterStore: TypeAlias = RevisionStore[Filter]


class Looks(Protocol):
    """One filter's eyes."""

    async def __call__(self, texts: Sequence[str], origin: Origin) -> Sequence[Found]:
        """What it finds, in characters of all texts behind each other.

        Raises DomainError, or anything else, if it can't look.
        """
        ...


class AsksRemote(Protocol):
    """Asks programs of others."""

    async def ask(self, tool: str, texts: Sequence[str], origin: Origin) -> Sequence[Found]:
        """What the tool says that it finds. Raises DomainError."""
        ...


class KnowsTools(Protocol):
    """Knows which programs of others there are."""

    async def can_be_asked(self, tool: str, workspace_id: str) -> bool:
        """Whether it is there, and takes what filters ask; True where nobody knows that now.

        Of an empty ``workspace_id`` it is to be the installation's.
        """
        ...


class ScreeningStore(Protocol):
    """Keeps what filters said, for 90 days."""

    async def add(self, screening: Screening) -> None:
        """Keep one, once, and have it told in the conversation's log, in one step."""
        ...

    async def list(
        self, workspace_id: str, author: str, before: tuple[int, str] | None, limit: int
    ) -> Sequence[Screening]:
        """The newest first, older than ``before`` = (created_us, screening id).

        Of all workspaces and authors where the ids are empty.
        """
        ...
