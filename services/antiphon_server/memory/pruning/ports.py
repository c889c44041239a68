"""What pruning needs from outside."""

from collections.abc import Collection, Sequence
from typing import Protocol

from antiphon_server.memory.pruning.model import Pruned, PruningRule, Retention
from antiphon_server.memory.remembered import Memory


class PruningStore(Protocol):
    """Memories that may be put away, and the rules of scopes.

    All methods raise DomainError if the store can't be used.
    """

    async def fitting(
        self, scope: str, rule: PruningRule, now_us: int, after: str, limit: int
    ) -> tuple[Sequence[Pruned], str]:
        """Of some memories behind the id ``after`` those that fit; and the last one's id.

        The id is "" where there are no more.
        """
        ...

    async def put_away(
        self, scope: str, rule: PruningRule, ids: Collection[str], now_us: int, actor: str
    ) -> Sequence[Pruned]:
        """Put away those of them that fit still, in one transaction; as they are then."""
        ...

    async def bring_back(
        self, scope: str, memory_id: str, now_us: int, actor: str
    ) -> Memory | None:
        """The memory in use again, or as it is if it was not put away; None if there is none.

        Raises DomainError ALREADY_EXISTS if another says the same.
        """
        ...

    async def retention(self, scope: str) -> Retention | None:
        """The rule of a scope, if it has one."""
        ...

    async def set_retention(self, scope: str, retention: Retention | None, due_us: int) -> None:
        """Give a scope a rule, due then, or take it away.

        Raises DomainError CONVERSATION_ERASED, WORKSPACE_ERASED.
        """
        ...

    async def due(self, now_us: int, next_us: int, limit: int) -> Sequence[tuple[str, Retention]]:
        """Scopes whose rule is due, each told to one caller: it is due again at ``next_us``."""
        ...
