"""The ledger equals the endpoint's truth, as far as the two can be compared.

Per turn, with what the endpoint got as *requests* and what GetUsage lists as *entries*:

- Every request has an entry, settled: an entry is committed before its request is sent.
- A request that was answered to the end has an entry that SUCCEEDED, unless the turn was
  stopped, the server died or its patience ended before it had read the end: then CANCELLED,
  UNKNOWN or FAILED by MODEL_TIMEOUT. No other entry SUCCEEDED.
- An entry that SUCCEEDED has exactly the tokens that the answer reported.
- Any other entry has no tokens of its own knowledge: it says that they are estimated, or
  has none; estimates never claim more output than was sent.
- More entries than requests: those that were opened and not sent, because the server died,
  the turn was stopped, or the endpoint refused the connection. None of them SUCCEEDED.

What a request that the server's death cut short has cost can't be compared: the ledger
then has the prompt's estimate and says UNKNOWN.
"""

from collections import defaultdict
from collections.abc import Iterator

from tests.robustness.history import Call, History, Served

BYTES_PER_TOKEN = 4
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
        for what in _of_turn(served[turn_id], calls[turn_id]):
            yield f"turn {turn_id}: {what}"
    if history.total != history.added:
        yield f"the sum says {history.total} tokens, the entries {history.added}"


def _of_turn(served: list[Served], calls: list[Call]) -> Iterator[str]:
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
    guessed = sum(call.output_tokens for call in calls if call.estimated)
    sent = sum(request.sent_bytes // BYTES_PER_TOKEN + 1 for request in served)
    if guessed > sent:
        yield f"{guessed} tokens of output were estimated, but at most {sent} were sent"


def _was_cut_short(call: Call) -> bool:
    return call.outcome in CUT_SHORT or call.reason == "MODEL_TIMEOUT"
