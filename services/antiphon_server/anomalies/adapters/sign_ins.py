"""Who signed in from where, through the service that keeps the audit trail."""

import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING

from antiphon.auth.v1.audit_pb2 import SECURITY_EVENT_KIND_SIGNED_IN, SecurityEvent
from antiphon.auth.v1.audit_service_pb2 import ListSecurityEventsRequest, SecurityEventFilter
from antiphon_server.anomalies.model import Sign, Signal
from antiphon_server.runtime.errors.wire import remote_errors
from antiphon_server.runtime.rpc.times import timestamp

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceAsyncStub

TIMEOUT_S = 10.0
MOST_PAGES = 25
_PAGE = 200
_NETWORKS = {4: 24, 6: 48}
"""How many bits of an address say the place."""
_LATE_S = 60.0
"""So much later than it happened a sign-in may come into the trail, or clocks differ."""


class TrailSignIns:
    """See :class:`~antiphon_server.anomalies.ports.Happens`: places are sequences of the trail.

    Of more than 5,000 at a time the newest are told.
    """

    def __init__(self, audit: "AuditServiceAsyncStub") -> None:
        self._audit = audit
        self._newest = 0.0

    async def newer(self, than: str, since: float) -> tuple[str, Sequence[Signal]]:
        """See :meth:`Happens.newer`."""
        after = int(than or 0)
        begin = since if not than else max(since, self._newest - _LATE_S)
        events = await self._events(begin, after)
        if events:
            self._newest = max(self._newest, _seconds(events[0]))
        newest = max((it.sequence for it in events), default=after)
        return str(newest), [_signal(it) for it in reversed(events)]

    async def _events(self, begin: float, after: int) -> list[SecurityEvent]:
        """Those behind a place, the newest first."""
        which = SecurityEventFilter(kinds=[SECURITY_EVENT_KIND_SIGNED_IN])
        which.begin_time.CopyFrom(timestamp(int(begin * 1e6)))
        request = ListSecurityEventsRequest(filter=which, page_size=_PAGE)
        found: list[SecurityEvent] = []
        for _ in range(MOST_PAGES):
            with remote_errors("auth"):
                page = await self._audit.ListSecurityEvents(request, timeout=TIMEOUT_S)
            newer = [it for it in page.events if it.sequence > after]
            found += newer
            request.page_token = page.next_page_token
            if len(newer) < len(page.events) or not request.page_token:
                break
        return found


def _signal(it: SecurityEvent) -> Signal:
    user = f"users/{it.user_id}" if it.user_id else ""
    return Signal(Sign.SIGNED_IN, _seconds(it), user=user, place=place_of(it.address))


def _seconds(it: SecurityEvent) -> float:
    return it.create_time.ToMicroseconds() / 1e6


def place_of(address: str) -> str:
    """The network that an address is in; empty for what is none."""
    try:
        ip = ipaddress.ip_address(address.partition("/")[0])
    except ValueError:
        return ""
    return str(ipaddress.ip_network((ip, _NETWORKS[ip.version]), strict=False))
