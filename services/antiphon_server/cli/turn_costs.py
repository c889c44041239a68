"""What one turn took, call by call, and why there was each."""

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence

from antiphon.integration.v1.model_pb2 import (
    ATTEMPT_OUTCOME_FAILED,
    CALL_KIND_TOOL,
    AttemptOutcome,
    ModelCall,
    SkippedModel,
)
from antiphon_server.cli.amounts import decimal, summed, written
from antiphon_server.cli.chat.summary import not_by, tokens
from antiphon_server.cli.console import in_a_cell, say
from antiphon_server.cli.encoding import local_time
from antiphon_server.cli.money import counted_in_words
from antiphon_server.cli.table import print_table
from antiphon_server.cli.usage_rows import count_names, counts

_HEADINGS = ("began", "called", "ended", "took", "tokens", "cost", "why")


def unasked(skipped: Iterable[SkippedModel], calls: Sequence[ModelCall]) -> Sequence[SkippedModel]:
    """Those that were passed over without a call, which none of the calls tells."""
    called = {it.model for it in calls}
    return [it for it in skipped if it.model not in called]


def print_calls(calls: Sequence[ModelCall], skipped: Sequence[SkippedModel] = ()) -> None:
    """Print them, oldest first, their sum, and which models were ``skipped``."""
    rows = zip(calls, whys(calls), strict=True)
    print_table(_HEADINGS, [_row(call, why) for call, why in rows], whole=True)
    unpriced = sum(not it.usage.HasField("cost") for it in calls)
    cost = written(summed(it.usage.cost for it in calls if it.usage.cost.micros)) or "0"
    unknown = f", and {unpriced} of unknown price" if unpriced else ""
    read = sum(it.usage.input_tokens for it in calls)
    said = sum(it.usage.output_tokens for it in calls)
    made = counted_in_words(len(calls), "calls")
    say(f"In all {made}, {read:,} + {said:,} tokens, {cost}{unknown}.")
    for it in skipped:
        say(f"Not asked: {not_by(it)}.")


def print_csv(calls: Sequence[ModelCall], skipped: Sequence[SkippedModel] = ()) -> None:
    """Print a line for each, not rounded, and one for each model that was ``skipped``."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    named = ("call_id", "began", "called", "ended", "error", "took_ms")
    out.writerow([*named, *count_names(), "estimated", "currency", "cost", "why"])
    for it, why in zip(calls, whys(calls), strict=True):
        cost = it.usage.cost
        known = it.usage.HasField("cost")
        out.writerow(
            [
                *(it.call_id, it.start_time.ToJsonString(), in_a_cell(it.model)),
                *(_ended(it), in_a_cell(it.error_reason), it.duration_ms, *counts(it.usage)),
                *(it.usage.estimated, cost.currency, decimal(cost.micros) if known else "", why),
            ]
        )
    for each in skipped:
        nothing = ("", *("" for _ in count_names()), "", "", "")
        out.writerow(
            [
                "",
                "",
                in_a_cell(each.model),
                "skipped",
                each.error_reason,
                *nothing,
                in_a_cell(not_by(each)),
            ]
        )


def whys(calls: Sequence[ModelCall]) -> Iterator[str]:
    """Why each of a turn's calls was made, as far as their order tells."""
    before: ModelCall | None = None
    for call in calls:
        if call.kind == CALL_KIND_TOOL:
            yield "the model asked for it"
            continue
        yield _why(call, before)
        before = call


def _why(call: ModelCall, before: ModelCall | None) -> str:
    if before is None:
        return "the question"
    if before.outcome != ATTEMPT_OUTCOME_FAILED:
        return "goes on with what tools answered"
    reason = f" ({before.error_reason})" if before.error_reason else ""
    if before.model == call.model:
        return f"tried again, since it failed{reason}"
    return f"in place of {before.model}, which failed{reason}"


def _row(call: ModelCall, why: str) -> tuple[str, ...]:
    usage, cost = call.usage, call.usage.cost
    about = "about " if usage.estimated else ""
    took = f"{call.duration_ms:,} ms"
    counted = f"{about}{tokens(usage)}" if usage.input_tokens or usage.output_tokens else ""
    price = (written({cost.currency: cost.micros}) if cost.micros else "0").strip()
    ended = " ".join(filter(None, (_ended(call), call.error_reason)))
    known = price if usage.HasField("cost") else "unknown"
    return local_time(call.start_time, "%H:%M:%S"), call.model, ended, took, counted, known, why


def _ended(call: ModelCall) -> str:
    return AttemptOutcome.Name(call.outcome).rpartition("_")[2].lower()
