"""The composition root's slice for anomalies: every concrete class in its place."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc

from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.context.v1.anomaly_service_pb2_grpc import add_AnomalyServiceServicer_to_server
from antiphon.integration.v1.budget_service_pb2_grpc import BudgetServiceStub
from antiphon_server.anomalies.adapters.allowance import GuardAllowance
from antiphon_server.anomalies.adapters.sign_ins import TrailSignIns
from antiphon_server.anomalies.adapters.spending import LedgerSpending
from antiphon_server.anomalies.adapters.sql_detectors import sql_detectors
from antiphon_server.anomalies.adapters.sql_elsewhere import SqlElsewhere
from antiphon_server.anomalies.adapters.sql_flags import SqlFlags
from antiphon_server.anomalies.adapters.tables import trail_outbox
from antiphon_server.anomalies.adapters.verdicts import RoomVerdicts
from antiphon_server.anomalies.detecting import Detecting
from antiphon_server.anomalies.fetching import SIGN_INS_S, SPENDING_S, VERDICTS_S, Fetching
from antiphon_server.anomalies.model import Effect, Sign, Signal
from antiphon_server.anomalies.servicer import AnomalyServicer
from antiphon_server.anomalies.sharing import SHARED_S, Sharing
from antiphon_server.anomalies.throttling import Throttles
from antiphon_server.anomalies.watching import COUNTED_S, Detectors, Watching
from antiphon_server.context.watching_room import Speaking, TellsFound
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Links
from antiphon_server.runtime.concurrency.tasks import every
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.trail.audit import AuditServiceTrail
from antiphon_server.runtime.trail.outbox import SqlOutbox
from antiphon_server.runtime.trail.relay import TrailRelay

HOUR_S = 3600.0
_FINGERPRINT = 0xFF_FFFF
"""24 bits are enough to tell eight texts apart, and too few to find out what was said from them."""


@dataclass(frozen=True, slots=True)
class ComposedWatching:
    """See :class:`~antiphon_server.context.watching_room.WatchingRoom`.

    ``shared`` says whether other servers set detectors and clear flags, too.
    """

    detectors: Detectors
    watching: Watching
    throttles: Throttles
    fetching: Fetching
    sharing: Sharing
    elsewhere: SqlElsewhere
    flags: SqlFlags
    servicer: AnomalyServicer
    trail: TrailRelay
    shared: bool

    def stand(self, workspace_id: str) -> bool:
        """See :meth:`WatchesMessages.stand`."""
        return self.detectors.stand(workspace_id)

    def said(self, it: Speaking) -> float:
        """See :meth:`WatchesMessages.said`."""
        if not (self.throttles or self.stand(it.workspace_id)):
            return 0.0
        signal = _signal(it)
        if self.stand(it.workspace_id):
            self.watching.note(signal)
            self.sharing.note(signal)
        return self.throttles.wait(signal)

    def begins(self, it: Speaking) -> float:
        """See :meth:`WatchesMessages.begins`."""
        return self.throttles.wait(_signal(it), count=0) if self.throttles else 0.0

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`WatchingRoom.register`."""
        add_AnomalyServiceServicer_to_server(self.servicer, server)

    async def start(self, lifecycle: Lifecycle) -> None:
        """See :meth:`WatchingRoom.start`."""
        lifecycle.on_stop("detectors", self.detectors.close)
        await self.detectors.refresh()
        await self.watching.look()
        await self.watching.count_open()
        lifecycle.on_stop("anomalies' trail", self.trail.close)
        lifecycle.spawn("anomalies.trail", self.trail.run(), vital=False)
        lifecycle.spawn("anomalies.seeing", self.watching.run(), vital=False)
        fetching = self.fetching
        works = {
            "verdicts": (VERDICTS_S, fetching.verdicts),
            "sign_ins": (SIGN_INS_S, fetching.sign_ins),
            "spending": (SPENDING_S, fetching.spending),
            "counting": (COUNTED_S, self.watching.count_open),
            "forget": (HOUR_S, self.flags.forget),
            "forget_said": (HOUR_S, self.elsewhere.forget),
        }
        for name, (seconds, work) in works.items():
            running = every(seconds, work, at_once=False)
            lifecycle.spawn(f"anomalies.{name}", running, vital=False)
        hearing = every(SHARED_S, self.sharing.exchange)  # what is long ago is heard meanwhile
        lifecycle.spawn("anomalies.sharing", hearing, vital=False)
        if self.shared:
            lifecycle.spawn("detectors.changes", self.detectors.run(), vital=False)
            lifecycle.spawn("anomalies.looking", self.watching.run_looking(), vital=False)

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        seen = CounterMetricFamily(
            "antiphon_anomaly_signals", "What detectors were told of.", labels=["end"]
        )
        seen.add_metric(["seen"], self.watching.seen)
        seen.add_metric(["lost"], self.watching.lost)
        yield seen
        throttled = "antiphon_messages_throttled", "Messages refused of who is flagged."
        yield CounterMetricFamily(*throttled, value=self.throttles.refused)
        flags = GaugeMetricFamily(
            "antiphon_flags_open", "Flags that nobody has cleared.", labels=["effect"]
        )
        for effect in Effect:
            flags.add_metric([effect.name.lower()], self.watching.open.get(effect, 0))
        yield flags


def _signal(it: Speaking) -> Signal:
    return Signal(
        Sign.SAID,
        time.time(),
        it.author,
        it.session_id,
        it.conversation_id,
        it.workspace_id,
        it.fingerprint and (it.fingerprint & _FINGERPRINT or 1),
        it.size_bytes,
    )


def compose_watching(
    infrastructure: Infrastructure, links: Links, filters: TellsFound | None
) -> ComposedWatching:
    """Put detectors on what context has, and what ``filters`` find."""
    database = infrastructure.database
    detectors = Detectors("detectors", sql_detectors(database), Detecting)
    flags = SqlFlags(database)
    throttles = Throttles(GuardAllowance(infrastructure.guard), lambda: time.time_ns() // 1000)
    watching = Watching(detectors, flags, throttles, time.time)
    audit = AuditServiceStub(links.internal)
    fetching = Fetching(
        detectors,
        watching,
        LedgerSpending(BudgetServiceStub(links.internal)),
        TrailSignIns(audit),
        RoomVerdicts(filters) if filters is not None else None,
        time.time,
    )
    elsewhere = SqlElsewhere(database)
    sharing = Sharing(detectors, watching, elsewhere, time.time)
    trail = TrailRelay(SqlOutbox(database, trail_outbox), AuditServiceTrail(audit))
    servicer = AnomalyServicer(detectors, flags, watching, trail)
    return ComposedWatching(
        detectors,
        watching,
        throttles,
        fetching,
        sharing,
        elsewhere,
        flags,
        servicer,
        trail,
        database.shared,
    )
