"""Calls refused as too many, as security events."""

from antiphon_server.auth.model.security_events import RateLimited, SecurityEvent
from antiphon_server.auth.service.coalescing import Coalesced
from antiphon_server.runtime.limits.rate_limits import Limit
from antiphon_server.runtime.rpc.methods import Method


class RecordedRateLimits:
    """Listens to the interceptor of rate limits.

    The first refusal of somebody's calls of a method is told in a moment, those of
    the minute after it as one: a flood of refusals is no flood of events.
    """

    def __init__(self, coalesced: Coalesced) -> None:
        self._coalesced = coalesced

    def __call__(self, method: Method, limit: Limit, who: str) -> None:
        """A call of ``method`` was refused; it is the one in hand."""
        event = SecurityEvent(RateLimited(method.name))
        self._coalesced.record_soon((RateLimited, method.name, limit.scope, who), event)
