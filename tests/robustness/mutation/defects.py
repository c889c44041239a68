"""The defects: in which mechanism, where, what, and who judges."""

from dataclasses import dataclass
from typing import Literal

from tests.robustness.mutation import wrongs
from tests.robustness.mutation.replacing import Wrapper, replace

Judge = Literal["play", "order of syncs", "suite"]
APPEND = "antiphon_server.events.servicer:EventServicer.Append"
BATCH = "antiphon_server.events.wire:batch"
DECODE = "antiphon_server.events.model:Cursor.decode"


@dataclass(frozen=True, slots=True)
class Defect:
    """One way to be wrong; ``short`` if it is tried in the short form too.

    ``judge`` says what has to catch it: the play with its validators, the order of the
    server's system calls, or a test of the suite (``tests``).
    """

    name: str
    mechanism: str
    where: str
    wrapper: Wrapper
    judge: Judge = "play"
    short: bool = False
    tests: tuple[str, ...] = ()


DEFECTS = (
    Defect(
        "sync skipped",
        "durability",
        "sqlite3.dbapi2:connect",
        wrongs.without_sync,
        judge="order of syncs",
        short=True,
    ),
    Defect(
        "told before the commit",
        "durability",
        "antiphon_server.events.adapters.sql:SqlLogStore.append",
        wrongs.told_first,
        judge="order of syncs",
    ),
    Defect("post forgotten", "durability", APPEND, wrongs.appending(wrongs.forgotten_post)),
    Defect(
        "event dropped", "fan-out", BATCH, wrongs.batches(lambda records: records[:-1]), short=True
    ),
    Defect(
        "event doubled", "fan-out", BATCH, wrongs.batches(lambda records: [*records, records[-1]])
    ),
    Defect("events out of order", "fan-out", BATCH, wrongs.batches(lambda records: records[::-1])),
    Defect("delta doubled", "deltas", APPEND, wrongs.appending(wrongs.doubled_delta), short=True),
    Defect("delta dropped", "deltas", APPEND, wrongs.appending(wrongs.dropped_delta)),
    Defect("answer cut", "deltas", APPEND, wrongs.appending(wrongs.cut_answer)),
    Defect(
        "folding leaves a hole",
        "folding",
        "antiphon_server.events.adapters.fold:fold_spans",
        wrongs.unwidened,
    ),
    Defect("resumed one too far", "cursors", DECODE, wrongs.moved_cursor(1), short=True),
    Defect("resumed one too early", "cursors", DECODE, wrongs.moved_cursor(-1)),
    Defect(
        "epoch not changed",
        "cursors",
        "antiphon_server.events.model:new_epoch",
        wrongs.same_epoch,
    ),
    Defect(
        "cancel forgotten",
        "stop",
        "antiphon_server.dispatcher.lane:ActiveTurn.stop",
        wrongs.silent,
    ),
    Defect(
        "cancel not told to the model",
        "stop",
        "antiphon_server.integration.servicer:IntegrationServicer.Generate",
        wrongs.model_left_running,
        short=True,
    ),
    Defect("end swallowed", "turns", APPEND, wrongs.appending(wrongs.swallowed_end)),
    Defect(
        "end not stored",
        "turns",
        "antiphon_server.dispatcher.adapters.sql:SqlTurnStore.put",
        wrongs.nothing(),
    ),
    Defect(
        "orphans left",
        "leases",
        "antiphon_server.dispatcher.leases:Leases.adopt_orphans",
        wrongs.nothing(0),
        short=True,
    ),
    Defect(
        "two attempts write",
        "leases",
        "antiphon_server.dispatcher.execution:Execution.go_on",
        wrongs.twice,
        short=True,
    ),
    Defect(
        "resumed from the start",
        "leases",
        "antiphon_server.dispatcher.execution:Execution.go_on",
        wrongs.from_the_start,
    ),
    Defect(
        "request not known again",
        "idempotency",
        APPEND,
        wrongs.appending(wrongs.forgotten_request),
        short=True,
    ),
    Defect(
        "call not settled",
        "ledger",
        "antiphon_server.integration.adapters.sql:SqlLedger.settle",
        wrongs.nothing(),
        short=True,
    ),
    Defect(
        "call not written",
        "ledger",
        "antiphon_server.integration.adapters.sql:SqlLedger.open",
        wrongs.nothing(),
    ),
    Defect(
        "call written twice",
        "ledger",
        "antiphon_server.integration.adapters.sql:SqlLedger.open",
        wrongs.doubled_call,
    ),
    Defect(
        "access kept",
        "access",
        "antiphon_server.events.subscriptions:Subscriptions.access_changed",
        wrongs.silent,
        short=True,
    ),
    Defect(
        "message not listed",
        "projection",
        "antiphon_server.context.adapters.sql.messages:SqlMessages.add",
        wrongs.silent,
    ),
    Defect(
        "fence ignored",
        "leases",
        "antiphon_server.events.adapters.sql:SqlLogStore.append",
        wrongs.without_fence,
        judge="suite",
        tests=("tests/contract/test_log_store.py",),
    ),
    Defect(
        "trimming not told",
        "cursors",
        "antiphon_server.events.log:EventLog.position",
        wrongs.from_the_earliest,
        judge="suite",
        tests=("tests/events/test_subscription.py", "-k", "trimmed"),
    ),
    Defect(
        "overload not ended",
        "slow readers",
        "antiphon_server.runtime.duplex:refuse",
        wrongs.patient,
        judge="suite",
        tests=("tests/events/test_stalled_stream.py",),
    ),
)
BY_NAME = {defect.name: defect for defect in DEFECTS}


def plant(name: str) -> None:
    """Plant a defect in this process. Raises KeyError and NothingToReplace."""
    defect = BY_NAME[name]
    replace(defect.where, defect.wrapper)
