"""Whether what this server has begun is still its own, before it does what can't be undone."""

from collections.abc import Callable
from typing import Protocol

from antiphon_server.runtime.errors import DomainError, Reason

RETRY_S = 0.25


class Lease(Protocol):
    """What is asked of a server's lease; see NodeLease."""

    @property
    def held(self) -> bool:
        """Whether nobody can have taken its work over."""
        ...

    @property
    def term(self) -> int:
        """How often somebody could."""
        ...


def standing(lease: Lease | None) -> Callable[[], None]:
    """Note how it stands now; what is returned raises DomainError DRAINING if that has ended.

    Without a lease there is nobody who could take over.
    """
    if lease is None:
        return lambda: None
    term = lease.term

    def stands() -> None:
        if not lease.held or lease.term != term:
            raise DomainError(Reason.DRAINING, retry_after=RETRY_S)

    return stands
