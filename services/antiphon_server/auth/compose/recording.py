"""What happens is recorded, counted and warned of."""

from dataclasses import dataclass

from antiphon_server.auth import audit_encoding
from antiphon_server.auth.adapters.security_metrics import SecurityMetrics
from antiphon_server.auth.compose.base import Base
from antiphon_server.auth.compose.tokens import Tokens
from antiphon_server.auth.service.alarms import Alarms
from antiphon_server.auth.service.audit_heads import AuditHeads
from antiphon_server.auth.service.audit_trail import AuditTrail
from antiphon_server.auth.service.audit_watches import AuditWatches
from antiphon_server.auth.service.coalescing import Coalesced
from antiphon_server.auth.service.reported_events import ReportedEvents
from antiphon_server.auth.service.requests import Requests
from antiphon_server.auth.service.security_events import SecurityEventLog, seal_of
from antiphon_server.auth.service.session_count import SessionCount
from antiphon_server.auth.service.sign_ins import SignIns
from antiphon_server.auth.servicers.audit import AuditServicer


@dataclass(frozen=True, slots=True)
class Recording:
    """The log of security events, and who listens to it."""

    security_events: SecurityEventLog
    coalesced: Coalesced
    alarms: Alarms
    session_count: SessionCount
    metrics: SecurityMetrics
    sign_ins: SignIns


@dataclass(frozen=True, slots=True)
class Trail:
    """What was recorded, for those who read it."""

    trail: AuditTrail
    watches: AuditWatches
    servicer: AuditServicer


def compose_recording(base: Base) -> Recording:
    """The log and its listeners."""
    stores, clock = base.stores, base.clock
    log = SecurityEventLog(stores.security_events, audit_encoding.sealed, base.secret, clock)
    coalesced = Coalesced(log, clock)
    alarms = Alarms(log, base.settings.alarms, clock)
    session_count = SessionCount(stores.sessions, clock)
    metrics = SecurityMetrics(lambda: session_count.count)
    log.on_event(alarms.on_event)
    log.on_event(metrics.on_event)
    sign_ins = SignIns(coalesced, base.secret)
    return Recording(log, coalesced, alarms, session_count, metrics, sign_ins)


def compose_trail(base: Base, recording: Recording, tokens: Tokens, requests: Requests) -> Trail:
    """The trail, whose heads the tokens' keys sign."""
    store, log, keys = base.stores.security_events, recording.security_events, tokens.signing_keys
    trail = AuditTrail(
        store,
        log,
        AuditHeads(keys, tokens.settings.issuer, base.clock),
        keys,
        seal_of(base.secret),
        audit_encoding.faithful,
        audit_encoding.ROTATIONS,
        audit_encoding.rotated_key,
    )
    watches = AuditWatches(store)
    log.on_event(watches.on_event)
    reported = ReportedEvents(store, log, base.completion)
    servicer = AuditServicer(requests, reported, trail, watches, keys, tokens.verifier)
    return Trail(trail, watches, servicer)
