"""How long a model that fails is left alone: with one conversation, or with all of them."""

from collections.abc import Callable
from dataclasses import dataclass

from antiphon_server.memory.model import ConversationId
from antiphon_server.runtime.cache.lru import LruCache
from antiphon_server.runtime.concurrency.retry import RetryPolicy
from antiphon_server.runtime.errors import Reason

FIRST_REST_S, LONGEST_REST_S = 10.0, 600.0
"""A model that fails is asked again so much later, twice as long each time."""
MOST_RESTING = 10_000
"""Conversations; of more, those that failed longest ago are asked again before their time."""
OF_ALL = frozenset(
    {
        Reason.MODEL_UNAVAILABLE,
        Reason.MODEL_TIMEOUT,
        Reason.MODEL_NOT_FOUND,
        Reason.CONNECTION_UNAVAILABLE,
        Reason.SERVICE_UNAVAILABLE,
        Reason.STORE_UNAVAILABLE,
        Reason.DEADLINE_EXCEEDED,
        Reason.DRAINING,
        Reason.OVERLOADED,
        Reason.RATE_LIMITED,
        Reason.THROTTLED,
    }
)
"""What another conversation would fail by, too. Budgets, refusals and prompts are of one."""
_REST = RetryPolicy(FIRST_REST_S, longest_s=LONGEST_REST_S)


@dataclass(slots=True)
class _Rest:
    failures: int = 0
    until_s: float = 0.0

    def begin(self, now_s: float) -> None:
        self.failures += 1
        self.until_s = now_s + _REST.pause(self.failures)


class Rests:
    """When which conversation is asked about again. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._all = clock, _Rest()
        self._of = LruCache[ConversationId, _Rest](MOST_RESTING)

    def left_s(self, conversation_id: ConversationId | None = None) -> float:
        """Seconds until it may be asked about that one, or about any at all; 0 or less: now."""
        own = self._of.peek(conversation_id) if conversation_id is not None else None
        until_s = max(self._all.until_s, own.until_s if own else 0.0)
        return until_s - self._clock()

    def failed(self, conversation_id: ConversationId, reason: Reason) -> None:
        """Rest from now on: all, or that one, by what it failed by."""
        if reason in OF_ALL:
            self._all.begin(self._clock())
            return
        rest = self._of.get(conversation_id) or _Rest()
        rest.begin(self._clock())
        self._of.put(conversation_id, rest)

    def answered(self, conversation_id: ConversationId) -> None:
        """It goes again: the next rest is a short one."""
        self._all = _Rest()
        self._of.pop(conversation_id)
