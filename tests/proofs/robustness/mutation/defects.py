"""The defects: in which mechanism, where, what, and who judges."""

from tests.proofs.robustness.mutation import wrongs
from tests.proofs.robustness.mutation.defect import SYNCS, Defect
from tests.proofs.robustness.mutation.intrusions import INTRUSIONS
from tests.proofs.robustness.mutation.replacing import replace

APPEND = "antiphon_server.events.servicer:EventServicer.Append"
MAIN = "antiphon_server.cli.program:main"
BATCH = "antiphon_server.events.wire:batch"
DECODE = "antiphon_server.events.model:Cursor.decode"

DEFECTS = (
    Defect(
        "sync skipped",
        "durability",
        "sqlite3.dbapi2:connect",
        wrongs.without_sync,
        short=True,
        rules=(SYNCS,),
    ),
    Defect(
        "told before the commit",
        "durability",
        "antiphon_server.events.adapters.sql:SqlLogStore.append",
        wrongs.told_first,
        rules=(SYNCS,),
    ),
    Defect(
        "post forgotten",
        "durability",
        APPEND,
        wrongs.appending(wrongs.forgotten_post),
        rules=("accepted_is_kept",),
    ),
    Defect(
        "event dropped",
        "fan-out",
        BATCH,
        wrongs.batches(lambda records: records[:-1]),
        short=True,
        rules=("no_gap",),
    ),
    Defect(
        "event doubled",
        "fan-out",
        BATCH,
        wrongs.batches(lambda records: [*records, records[-1]]),
        rules=("no_double",),
    ),
    Defect(
        "events out of order",
        "fan-out",
        BATCH,
        wrongs.batches(lambda records: records[::-1]),
        rules=("in_order",),
    ),
    Defect(
        "delta doubled",
        "deltas",
        APPEND,
        wrongs.appending(wrongs.doubled_delta),
        short=True,
        rules=("stored_is_delivered",),
    ),
    Defect(
        "delta dropped",
        "deltas",
        APPEND,
        wrongs.appending(wrongs.dropped_delta),
        rules=("stored_is_delivered",),
    ),
    Defect(
        "answer cut",
        "deltas",
        APPEND,
        wrongs.appending(wrongs.cut_answer),
        rules=("stored_is_delivered",),
    ),
    Defect(
        "folding leaves a hole",
        "folding",
        "antiphon_server.events.adapters.fold:fold_spans",
        wrongs.unwidened,
        rules=("no_gap",),
    ),
    Defect(
        "resumed one too far",
        "cursors",
        DECODE,
        wrongs.moved_cursor(1),
        rules=("no_gap",),
    ),
    Defect(
        "resumed one too early",
        "cursors",
        DECODE,
        wrongs.moved_cursor(-1),
        short=True,  # one too far at the end of a log is no gap, but no cursor of it
        rules=("no_double",),
    ),
    Defect(
        "epoch not changed",
        "cursors",
        "antiphon_server.events.model:new_epoch",
        wrongs.same_epoch,
        rules=("lost history is told",),
    ),
    Defect(
        "cancel forgotten",
        "stop",
        "antiphon_server.dispatcher.lane:ActiveTurn.stop",
        wrongs.answering(None),
        rules=("stop means stop",),
    ),
    Defect(
        "cancel not told to the model",
        "stop",
        "antiphon_server.integration.servicer:IntegrationServicer.Generate",
        wrongs.model_left_running,
        short=True,
        rules=("stop means stop",),
    ),
    Defect(
        "end swallowed",
        "turns",
        APPEND,
        wrongs.appending(wrongs.swallowed_end),
        rules=("every_turn_ends",),
    ),
    Defect(
        "end not stored",
        "turns",
        "antiphon_server.dispatcher.adapters.sql:SqlTurnStore.put",
        wrongs.nothing(),
        rules=("every_turn_ends",),
    ),
    Defect(
        "orphans left",
        "leases",
        "antiphon_server.dispatcher.leases:Leases.adopt_orphans",
        wrongs.nothing(0),
        short=True,
        rules=("every_turn_ends",),
    ),
    Defect(
        "two attempts write",
        "leases",
        "antiphon_server.dispatcher.execution:Execution.go_on",
        wrongs.twice,
        short=True,
        rules=("stored_is_delivered",),
    ),
    Defect(
        "resumed from the start",
        "leases",
        "antiphon_server.dispatcher.execution:Execution.go_on",
        wrongs.from_the_start,
        rules=("stored_is_delivered",),
    ),
    Defect(
        "request not known again",
        "idempotency",
        APPEND,
        wrongs.appending(wrongs.forgotten_request),
        short=True,
        rules=("accepted_is_kept",),
    ),
    Defect(
        "call not settled",
        "ledger",
        "antiphon_server.integration.ledger.adapters.sql:SqlLedger.settle",
        wrongs.nothing(),
        short=True,
        rules=("the ledger is the truth",),
    ),
    Defect(
        "call not written",
        "ledger",
        "antiphon_server.integration.ledger.adapters.sql:SqlLedger.open",
        wrongs.nothing(),
        rules=("the ledger is the truth",),
    ),
    Defect(
        "call written twice",
        "ledger",
        "antiphon_server.integration.ledger.adapters.sql:SqlLedger.open",
        wrongs.doubled_call,
        rules=("the ledger is the truth",),
    ),
    Defect(
        "access kept",
        "access",
        "antiphon_server.events.subscriptions:Subscriptions.access_changed",
        wrongs.answering(None),
        short=True,
        rules=("access ends streams",),
    ),
    Defect(
        "message not listed",
        "projection",
        "antiphon_server.context.adapters.sql.messages:SqlMessages.add",
        wrongs.answering(None),
        rules=("accepted_is_kept",),
    ),
    Defect(
        "fence ignored",
        "leases",
        "antiphon_server.events.adapters.sql:SqlLogStore.append",
        wrongs.without_fence,
        tests=("tests/contract/test_log_store.py",),
        rules=("test_a_replaced_writer_is_fenced_out",),
    ),
    Defect(
        "trimming not told",
        "cursors",
        "antiphon_server.events.log:EventLog.position",
        wrongs.from_the_earliest,
        tests=("tests/events/test_subscription.py", "-k", "trimmed"),
        rules=("test_a_trimmed_position_is_told",),
    ),
    Defect(
        "overload not ended",
        "slow readers",
        "antiphon_server.runtime.rpc.slow_readers:refuse",
        wrongs.patient,
        tests=("tests/events/test_stalled_stream.py",),
        rules=("test_a_stalled_stream_counts_until_its_client_reads_or_goes",),
    ),
    Defect(
        "old cursor gets nothing",
        "cursors",
        "antiphon_server.events.servicer:EventServicer.ReadEvents",
        wrongs.empty_page,
        scenario="trimming",
        rules=("old_cursors_are_answered",),
    ),
    Defect(
        "trimmed too early",
        "retention",
        "antiphon_server.context.service.retention:Retention.__init__",
        wrongs.hasty_retention,
        scenario="trimming",
        rules=("trimmed_in_time",),
    ),
    Defect(
        "text replaced",
        "durability",
        APPEND,
        wrongs.appending(wrongs.replaced_text),
        scenario="calm",
        rules=("posts_are_stored",),
    ),
    Defect(
        "model runs on after a stop",
        "stop",
        "antiphon_server.integration.servicer:IntegrationServicer.Generate",
        wrongs.model_left_running,
        scenario="calm",
        rules=("stop_reaches_the_model",),
    ),
    Defect(
        "ends badly",
        "end",
        MAIN,
        wrongs.bad_exit,
        scenario="calm",
        rules=("exit",),
    ),
    Defect(
        "memory kept",
        "memory",
        MAIN,
        wrongs.growing,
        scenario="calm",
        rules=("memory",),
    ),
    *INTRUSIONS,
)
BY_NAME = {defect.name: defect for defect in DEFECTS}


def plant(name: str) -> None:
    """Plant a defect in this process. Raises KeyError and NothingToReplace."""
    defect = BY_NAME[name]
    replace(defect.where, defect.wrapper)
