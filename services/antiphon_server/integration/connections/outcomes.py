"""What came of the calls by a connection, as far as it says how the connection is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from antiphon_server.integration.connections.model import BreakerStatus, HttpAnswer
from antiphon_server.integration.tools.model import Result, ToolName
from antiphon_server.runtime.concurrency.breaker import USUAL, Breaker, Limits, Passage, State
from antiphon_server.runtime.errors import DomainError, Reason

FAILURES = 3
"""So many of the calls that the breaker remembers make it DEGRADED."""
_GATEWAY = frozenset({502, 503, 504})
"""What is said in the place of a service that is not there."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call: an answer, or the reason why not; and which HTTP status had a part.

    ``cause`` is why it was not reached, where that is known.
    """

    reason: Reason | None = None
    http_status: int = 0
    cause: str = ""

    @property
    def failed(self) -> bool | None:
        """Whether the connection has failed; None if that says nothing of other calls.

        What a tool itself says is an answer. What a caller asks wrongly, or too often, says
        nothing, nor does what is refused here.
        """
        match self.reason:
            case Reason.TOOL_TIMEOUT | Reason.TOOL_CALL_LOST:
                return True
            case Reason.CONNECTION_UNAVAILABLE:
                return None if 400 <= self.http_status < 500 else True
            case Reason.TOOL_FAILED | None:
                if 400 <= self.http_status < 500:
                    return None
                return self.http_status in _GATEWAY
        return None

    @property
    def said(self) -> Mapping[str, str]:
        """As variables of CONNECTION_UNAVAILABLE."""
        if self.http_status:
            return {"cause": "HTTP_STATUS", "http_status": str(self.http_status)}
        cause = self.cause or (self.reason.value if self.reason else "")
        return {"cause": cause} if cause else {}


ANSWERED = Outcome()


def outcome_of(came: object) -> Outcome:
    """That of a call, by its answer or its error."""
    if isinstance(came, Result):
        return Outcome(http_status=came.http_status) if came.http_status else ANSWERED
    if isinstance(came, DomainError):
        status = came.metadata.get("http_status", "")
        known = int(status) if status.isdecimal() else 0
        return Outcome(came.reason, known, came.metadata.get("cause", ""))
    return Outcome(http_status=came.status) if isinstance(came, HttpAnswer) else ANSWERED


class Outcomes:
    """The breaker, the last failure, and the tools to which people have to consent first.

    ``turned`` is told when the breaker is opened or closed.
    """

    def __init__(
        self, limits: Limits = USUAL, turned: Callable[[State], None] = lambda _: None
    ) -> None:
        self.breaker = Breaker(limits, turned)
        self.failure = ANSWERED
        self._lacking: set[ToolName] = set()

    def remember(self, passage: Passage, outcome: Outcome) -> bool:
        """Count what came of a call; whether it is a reason to look at once how it is."""
        passage.failed = failed = False if outcome is ANSWERED else outcome.failed
        if not failed:
            return False
        self.failure = outcome
        return outcome.reason in (Reason.CONNECTION_UNAVAILABLE, Reason.TOOL_CALL_LOST)

    def lack(self, tool: ToolName, reason: Reason) -> bool:
        """Keep whether a person has to consent to more for a tool; True if that is new.

        Whoever consents has all servers begin anew.
        """
        new = reason is Reason.AUTHORIZATION_REQUIRED and tool not in self._lacking
        if new:
            self._lacking.add(tool)
        return new

    def lack_no_more(self, tool: ToolName) -> None:
        """A call of it went through."""
        self._lacking.discard(tool)

    def is_back(self) -> None:
        """It was away and answers again: what has failed is forgotten, but for an operator's word.

        Its calls need not wait until they may try by themselves.
        """
        if self.breaker.state is not State.CLOSED and not self.breaker.by_hand:
            self.breaker.close()

    @property
    def degraded(self) -> str:
        """The reason for which a connection that is there is not as it should be, else ""."""
        left_alone = self.breaker.state is not State.CLOSED and not self.breaker.by_hand
        if left_alone or self.breaker.failures >= FAILURES:
            return (self.failure.reason or Reason.TOOL_FAILED).value
        return Reason.AUTHORIZATION_REQUIRED.value if self._lacking else ""

    @property
    def standing(self) -> BreakerStatus:
        """Its breaker now."""
        it = self.breaker
        return BreakerStatus(it.state, it.since_us, it.retry_after_s, it.by_hand)
