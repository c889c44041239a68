"""The ledger equals the endpoint's truth, as far as the two can be compared.

Per turn, with what the endpoint got as *requests* and what GetUsage lists as *entries*:

- Every request has an entry, settled: an entry is committed before its request is sent.
- A request that was answered to the end has an entry that SUCCEEDED, unless the turn was
  stopped, the server died or its patience ended before it had read the end: then CANCELLED,
  UNKNOWN or FAILED by MODEL_TIMEOUT. No other entry SUCCEEDED.
- An entry that SUCCEEDED has exactly the tokens that the answer reported.
- Any other entry has no tokens of its own knowledge: it says that they are estimated, or
  has none; estimates never claim more output than was sent, nor more input than a prompt
  of that size can have.
- An entry is UNKNOWN only where the server was ended in the turn's time, one for each end;
  CANCELLED only there, or where the turn was stopped or its time was up.
- More entries than requests: those that were opened and not sent, because the server was
  ended (one for each end) or the turn was stopped (one). None of them SUCCEEDED.

What a request that the server's death cut short has cost can't be compared: the ledger
then has the estimates of the prompt and of what the log has of the answer, and says UNKNOWN.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tests.proofs.robustness.history import Call, History, Served

BYTES_PER_TOKEN = 4
# Of prompts: ids, which scenarios are full of, have more tokens than words.
ASKED_BYTES_PER_TOKEN = 2
# Of JSON around a message, and more than is estimated for it.
ENVELOPE = 128
# How long after a turn's end its entry may still be written.
SETTLED_S = 5.0
CUT_SHORT = frozenset({"CANCELLED", "UNKNOWN"})


def ledger_is_truth(history: History) -> Iterator[str]:
    """The ledger's entries and the endpoint's requests agree, turn by turn and in sum."""
    if history.served is None:
        return
    served: dict[str, list[Served]] = defaultdict(list)
    calls: dict[str, list[Call]] = defaultdict(list)
    for request in history.served:
        served[request.turn_id].append(request)
    for call in history.calls:
        calls[call.turn_id].append(call)
    for turn_id in sorted(served.keys() | calls.keys()):
        lived = _lived(history, turn_id)
        for rule in (_answers, _cut_short, _estimates):
            for what in rule(served[turn_id], calls[turn_id], lived):
                yield f"turn {turn_id}: {what}"
    if history.total != history.added:
        yield f"the sum says {history.total} tokens, the entries {history.added}"


@dataclass(frozen=True, slots=True)
class _Lived:
    """What a turn lived through: how often the server was ended, whether it was stopped.

    ``late``: its time was up. ``prompt_bytes`` is the most that it can have asked with.
    """

    deaths: int
    stopped: bool
    late: bool
    prompt_bytes: int


def _lived(history: History, turn_id: str) -> _Lived:
    began = min((it.tries[0] for it in history.sent or () if it.turn_id == turn_id), default=0.0)
    ends = [
        seen
        for reader in history.readers
        for seen in reader.seen
        if seen.fact.turn_id == turn_id and seen.fact.kind == "turn_finished"
    ]
    over = min((seen.at for seen in ends), default=math.inf) + SETTLED_S
    return _Lived(
        sum(told <= over and ended >= began for told, ended in history.deaths),
        any(stop.turn_id == turn_id for stop in history.stops),
        any(seen.fact.state == "EXPIRED" for seen in ends),
        ENVELOPE + sum(ENVELOPE + len(it.text.encode()) for _, it in history.messages),
    )


def _answers(served: list[Served], calls: list[Call], lived: _Lived) -> Iterator[str]:
    if len(served) > len(calls):
        yield f"{len(served)} requests, but {len(calls)} entries"
    whole = [request for request in served if request.whole]
    succeeded = [call for call in calls if call.outcome == "SUCCEEDED"]
    cut_short = sum(_was_cut_short(call) for call in calls)
    if len(succeeded) > len(whole):
        yield f"{len(succeeded)} entries succeeded, but {len(whole)} requests"
    if len(whole) - len(succeeded) > cut_short:
        yield f"{len(whole)} requests were answered whole, but {len(succeeded)} entries succeeded"
    reported = {request.usage for request in whole}
    for call in calls:
        tokens = (call.input_tokens, call.output_tokens)
        if call.outcome == "SUCCEEDED":
            if call.estimated or tokens not in reported:
                yield f"an entry says {tokens}, the endpoint {sorted(reported)}"
        elif tokens != (0, 0) and not call.estimated and tokens not in reported:
            yield f"an entry that is {call.outcome} knows its tokens: {tokens}"


def _cut_short(served: list[Served], calls: list[Call], lived: _Lived) -> Iterator[str]:
    """What was cut short was cut short by something."""
    unknown = sum(call.outcome == "UNKNOWN" for call in calls)
    cancelled = sum(call.outcome == "CANCELLED" for call in calls)
    if unknown > lived.deaths:
        yield f"{unknown} entries are UNKNOWN, but the server was ended {lived.deaths} times"
    if cancelled and not (lived.deaths or lived.stopped or lived.late):
        yield f"{cancelled} entries are CANCELLED, but nobody stopped it"
    if len(calls) - len(served) > lived.deaths + lived.stopped:
        yield f"{len(calls)} entries for {len(served)} requests, without a reason"


def _estimates(served: list[Served], calls: list[Call], lived: _Lived) -> Iterator[str]:
    """Estimates are of what was sent and what was asked."""
    prompt_bytes = max((it.prompt_bytes for it in served), default=lived.prompt_bytes)
    asked = max((call.input_tokens for call in calls if call.estimated), default=0)
    if asked > prompt_bytes // ASKED_BYTES_PER_TOKEN + 1:
        yield f"{asked} tokens of input were estimated for a prompt of {prompt_bytes} bytes"
    guessed = sum(call.output_tokens for call in calls if call.estimated)
    sent = sum(request.sent_bytes // BYTES_PER_TOKEN + 1 for request in served)
    if guessed > sent:
        yield f"{guessed} tokens of output were estimated, but at most {sent} were sent"


def _was_cut_short(call: Call) -> bool:
    return call.outcome in CUT_SHORT or call.reason == "MODEL_TIMEOUT"
