"""Which memories are not needed. Times and durations are microseconds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from antiphon_server.memory.remembered import USUAL_IMPORTANCE, Kind, Memory, State
from antiphon_server.runtime.encoding.ids import new_id

RESTORABLE_US = 30 * 86_400 * 1_000_000
"""How long what was put away can come back."""
_DAY_US = 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class PruningRule:
    """The contract's PruningRule; None of a duration says that nothing fits by it."""

    older_than_us: int | None = None
    superseded_for_us: int | None = None
    max_importance: float = USUAL_IMPORTANCE
    kinds: Sequence[Kind] = ()

    @property
    def says_nothing(self) -> bool:
        """Whether nothing fits."""
        return self.older_than_us is None and self.superseded_for_us is None

    def reason(self, memory: Memory, now_us: int) -> str:
        """Why the memory is not needed, in words; "" if it is."""
        if memory.expired(now_us):
            return ""  # it goes by itself
        unchanged_us = now_us - memory.update_us
        days = f"{unchanged_us // _DAY_US} days"
        if memory.state is State.SUPERSEDED and self.superseded_for_us is not None:
            return f"superseded {days} ago" if unchanged_us >= self.superseded_for_us else ""
        if memory.state is not State.ACTIVE or self.older_than_us is None:
            return ""
        fits = not self.kinds or memory.kind in self.kinds
        if fits and memory.importance <= self.max_importance and unchanged_us >= self.older_than_us:
            return f"unchanged for {days}, importance {memory.importance:g}"
        return ""


@dataclass(frozen=True, slots=True)
class Retention:
    """The rule of a scope, and who has set it when."""

    rule: PruningRule
    setter: str
    set_us: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """A memory that was, or would be, put away, and why."""

    memory: Memory
    reason: str


def put_away(memory: Memory, now_us: int, actor: str) -> Memory:
    """The memory as one that can come back until it is forgotten."""
    until_us = now_us + RESTORABLE_US
    ends_us = until_us if memory.expire_us is None else min(until_us, memory.expire_us)
    return replace(
        memory,
        state=State.PRUNED,
        expire_us=ends_us,
        version=memory.version + 1,
        etag=new_id("etag"),
        update_us=now_us,
        updater=actor,
    )


def brought_back(memory: Memory, before: Memory, now_us: int, actor: str) -> Memory:
    """The memory that was put away, as it was ``before``."""
    return replace(
        before,
        version=memory.version + 1,
        etag=new_id("etag"),
        update_us=now_us,
        updater=actor,
    )
