"""What budgets need from outside."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from antiphon_server.integration.budgets.model import (
    WHATEVER,
    Budget,
    BudgetName,
    Counts,
    Over,
    Parent,
    Seen,
    Standing,
    Subject,
    Terms,
)
from antiphon_server.integration.budgets.spent import Portion, SpendingQuery
from antiphon_server.integration.ledger.model import (
    BudgetId,
    CallId,
    Overrun,
    Payer,
    Use,
    Window,
)


class BudgetStore(Protocol):
    """Keeps budgets; their windows are kept by the ledger, beside the calls."""

    async def put(
        self,
        parent: Parent,
        name: BudgetName,
        counts: Counts,
        terms: Terms,
        seen: Seen = WHATEVER,
    ) -> Budget:
        """Make one, or change the one of that name, which begins anew if it counts otherwise.

        Of one that is so already nothing is changed, whatever was ``seen``. Raises DomainError
        LIMIT_EXCEEDED, ALREADY_EXISTS, ETAG_MISMATCH.
        """
        ...

    async def delete(self, parent: Parent, name: BudgetName) -> None:
        """Remove one, if it is there."""
        ...

    async def all(self) -> Sequence[Budget]:
        """All of the installation, by parent and name."""
        ...

    async def version(self) -> int:
        """A number that is another one after each change."""
        ...

    async def listed(
        self, parent: Parent, after: str, limit: int, of: Subject | None = None
    ) -> Sequence[Budget]:
        """Those of a parent, by name, from behind that name; of a subject, where it has a sum."""
        ...

    async def uses(self, wanted: Collection[Window]) -> Mapping[Window, Use]:
        """How much of these windows is used; of one that has no row yet nothing is told."""
        ...

    async def standings(
        self,
        starts: Mapping[BudgetId, tuple[int, int]],
        limit: int,
        of: Subject | None = None,
    ) -> Mapping[BudgetId, Sequence[Standing]]:
        """The windows that begin then (and end), the most used ``limit`` of each budget first.

        Of a subject, its own alone.
        """
        ...


class WindowStore(Protocol):
    """Forgets windows and bookings: never more than ``limit`` at once, nor any that are in use.

    Where nothing is to be forgotten nothing is written.
    """

    async def counting(self) -> Sequence[BudgetId]:
        """The budgets that have windows; some of them may be gone."""
        ...

    async def forget_windows(self, over: Sequence[Over], limit: int) -> int:
        """Forget windows for which nothing is reserved; returns how many were found."""
        ...

    async def forget_bookings(self, given_up_us: int, limit: int) -> int:
        """Forget what calls had booked that are settled; returns how many were found.

        A call that was given up may still be settled if it began at ``given_up_us`` or later.
        """
        ...


class SpendingReader(Protocol):
    """Sums what the ledger has."""

    async def portions(self, wanted: SpendingQuery) -> Sequence[Portion]:
        """The portions of the first groups, each group's together, in the order of the keys."""
        ...


class Told(Protocol):
    """Who is told of budgets."""

    async def warned(self, budget: Budget, payer: Payer, standing: Standing) -> None:
        """A window has little left. Raises nothing but cancellation."""
        ...

    async def overran(self, budget: Budget, call_id: CallId, overrun: Overrun) -> None:
        """A call consumed more than was reserved. Raises nothing but cancellation."""
        ...
