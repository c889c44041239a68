"""Counts of security events, made into metrics when scraped."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from antiphon_server.auth.model.chain import SealedEvent
from antiphon_server.auth.model.origin import LoginMethod
from antiphon_server.auth.model.security_events import (
    AccessRefused,
    AlarmKind,
    AlarmRaised,
    ApiKeyUsed,
    RateLimited,
    SecurityEvent,
    SessionExpired,
    SessionRevoked,
    SignedIn,
    SignedOut,
    SignInFailed,
    SignInsRefused,
)

FAMILIES = {
    "antiphon_sign_ins": ("Sign-ins that came in.", "method"),
    "antiphon_sign_in_failures": ("Credentials that were looked at and refused.", "method"),
    "antiphon_sign_ins_refused": ("Sign-ins refused unseen, as too many.", "method"),
    "antiphon_sessions_ended": ("Sessions that ended, by why.", "cause"),
    "antiphon_access_refused": ("Calls whose callers may not make them.", "reason"),
    "antiphon_calls_limited": ("Calls refused as too many that were recorded.", "rpc"),
    "antiphon_security_alarms": ("Alarms.", "kind"),
}


class SecurityMetrics:
    """A collector for a prometheus_client registry; counts from the start of the process.

    ``live_sessions`` says how many sessions live, None while that is not known.
    """

    def __init__(self, live_sessions: Callable[[], int | None]) -> None:
        # A rise is seen from 0 only: a series that begins with 1 has not risen.
        self._counts = Counter({("antiphon_security_alarms", _name(kind)): 0 for kind in AlarmKind})
        self._live_sessions = live_sessions

    def on_event(self, event: SecurityEvent, _sealed: SealedEvent) -> None:
        """Something was committed."""
        found = _counted(event)
        if found is not None:
            family, label, count = found
            self._counts[f"antiphon_{family}", label] += count

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        for name, (what, label) in FAMILIES.items():
            family = CounterMetricFamily(name, what, labels=[label])
            for (of, value), count in list(self._counts.items()):
                if of == name:
                    family.add_metric([value], count)
            yield family
        live = self._live_sessions()
        if live is not None:
            yield GaugeMetricFamily("antiphon_sessions_active", "Live sessions.", value=live)


def _counted(event: SecurityEvent) -> tuple[str, str, int] | None:
    match event.detail:
        case SignedIn(method=method):
            return "sign_ins", method.name.lower(), 1
        case ApiKeyUsed(count=count):
            return "sign_ins", LoginMethod.API_KEY.name.lower(), count
        case SignInFailed(method=method, count=count):
            return "sign_in_failures", method.name.lower(), count
        case SignInsRefused(method=method, count=count):
            return "sign_ins_refused", method.name.lower(), count
        case SessionRevoked(cause=cause):
            return "sessions_ended", cause.name.lower(), 1
        case SignedOut():
            return "sessions_ended", "signed_out", 1
        case SessionExpired():
            return "sessions_ended", "expired", 1
        case AccessRefused(reason=reason, count=count):
            return "access_refused", reason.value, count
        case RateLimited(rpc=rpc, count=count):
            return "calls_limited", rpc, count
        case AlarmRaised(kind=kind):
            return "security_alarms", _name(kind), 1
    return None


def _name(kind: AlarmKind) -> str:
    return kind.name.lower()
