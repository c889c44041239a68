"""Shows and puts away what is not needed, on demand and by the rules of scopes."""

import logging
import time
from collections.abc import Callable, Sequence

from antiphon_server.memory.pruning.model import Pruned, PruningRule, Retention
from antiphon_server.memory.pruning.ports import PruningStore
from antiphon_server.memory.remembered import Memory, State
from antiphon_server.runtime.errors import DomainError, invalid, not_found

MOST, MOST_BYTES = 1000, 2 << 20
"""Put away in a call, and told of in its answer."""
_READ, _WRITTEN = 500, 100
_DAY_US = 86_400 * 1_000_000
ACTOR = "services/memory"
log = logging.getLogger(__name__)


def _now_us() -> int:
    return time.time_ns() // 1000


class Pruning:
    """That callers may in the scope was asked before. Each call raises DomainError."""

    def __init__(self, store: PruningStore, now_us: Callable[[], int] = _now_us) -> None:
        self._store, self._now_us = store, now_us

    async def shown(self, scope: str, rule: PruningRule) -> tuple[Sequence[Pruned], bool]:
        """What would be put away now, by id, and whether that is not all."""
        _check(rule)
        found, after, now_us = list[Pruned](), "", self._now_us()
        while True:
            some, after = await self._store.fitting(scope, rule, now_us, after, _READ)
            found += some
            told = _that_fit(found)
            if not after or len(told) < len(found):
                return told, len(told) < len(found)

    async def prune(
        self, scope: str, rule: PruningRule, actor: str
    ) -> tuple[Sequence[Pruned], bool]:
        """Put that away; as it is then, and whether that was not all."""
        found, more = await self.shown(scope, rule)
        ids, pruned = [it.memory.memory_id for it in found], list[Pruned]()
        for start in range(0, len(ids), _WRITTEN):
            some = ids[start : start + _WRITTEN]
            pruned += await self._store.put_away(scope, rule, some, self._now_us(), actor)
        return pruned, more

    async def restore(self, scope: str, memory_id: str, actor: str) -> Memory:
        """Bring one back."""
        found = await self._store.bring_back(scope, memory_id, self._now_us(), actor)
        if found is None or found.state is State.FORGOTTEN:
            raise not_found(memory_id)
        return found

    async def retention(self, scope: str) -> Retention | None:
        """The rule of a scope."""
        return await self._store.retention(scope)

    async def set_retention(
        self, scope: str, rule: PruningRule | None, actor: str
    ) -> Retention | None:
        """Have a scope pruned each day, or no more; the rule as it is then."""
        if rule is not None:
            _check(rule)
        before = await self._store.retention(scope)
        if rule == (before.rule if before else None):
            return before
        now_us = self._now_us()
        retention = Retention(rule, actor, now_us) if rule is not None else None
        await self._store.set_retention(scope, retention, now_us)
        return retention

    async def prune_due(self) -> int:
        """Prune the scopes whose day has come; how many memories were put away."""
        count = 0
        while True:
            now_us = self._now_us()
            due = await self._store.due(now_us, now_us + _DAY_US, 1)
            if not due:
                return count
            for scope, retention in due:
                try:
                    count += await self._prune_all(scope, retention)
                except DomainError as error:  # it is tried again in a day; others are not held up
                    log.warning("%s is not pruned today: %s", scope, error)

    async def _prune_all(self, scope: str, retention: Retention) -> int:
        count, more = 0, True
        while more:
            pruned, more = await self.prune(scope, retention.rule, ACTOR)
            count += len(pruned)
            more = more and bool(pruned)
        return count


def _that_fit(found: Sequence[Pruned]) -> Sequence[Pruned]:
    """As many as an answer has room for."""
    left = MOST_BYTES
    for at, it in enumerate(found[:MOST]):
        memory = it.memory
        left -= 4 * len(memory.text) + 200 * len(memory.sources) + 80 * len(memory.entities) + 500
        if left < 0:
            return found[:at]
    return found[:MOST]


def _check(rule: PruningRule) -> None:
    if rule.says_nothing:
        raise invalid("rule", "older_than, superseded_for, or both")
