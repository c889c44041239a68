"""What was spent, as a table with bars and as CSV."""

import csv
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta

from antiphon.integration.v1.model_pb2 import CALL_KIND_TOOL, Usage
from antiphon.integration.v1.spending_pb2 import Spending
from antiphon_server.cli.amounts import decimal, summed, written
from antiphon_server.cli.console import in_a_cell
from antiphon_server.cli.money import counted_in_words
from antiphon_server.cli.table import print_table

_BAR = 24
_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "cached_audio_tokens",
)
_NAMES: Mapping[str, Callable[[Spending], str]] = {
    "day": lambda it: it.day,
    "model": lambda it: it.target,
    "user": lambda it: it.user_id,
    "conversation": lambda it: it.conversation_id,
    "workspace": lambda it: it.workspace_id,
    "key": lambda it: it.api_key_id,
}


def print_groups(groups: Sequence[Spending], by: Sequence[str], first: date, last: date) -> None:
    """Print a row for each group, with a bar of its share, and one for all together.

    Of days alone each is shown from the first that has any to the last of the range; else the
    dearest stand first.
    """
    amount, of_what = _measure(groups)
    if tuple(by) == ("day",):
        shown: Sequence[Spending] = list(_all_days(groups, last))
    else:
        days = "day" in by
        shown = sorted(groups, key=lambda it: (it.day if days else "", -amount(it)))
    most = max(map(amount, shown))
    headings = (*by, of_what, "calls", "read", "written", "cost", "reserved")
    rows = [
        (*(_name(it, key) for key in by), _bar(amount(it), most), *_cells([it])) for it in shown
    ]
    print_table(headings, [*rows, ("in all", *("" for _ in by), *_cells(shown))], whole=True)


def print_csv(groups: Iterable[Spending], by: Sequence[str]) -> None:
    """Print a line for each group; money in a column for each currency, not rounded."""
    found = list(groups)
    costs = sorted(summed(cost for it in found for cost in it.costs) or {"USD"})
    held = sorted(summed(each for it in found for each in it.reserved))
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(
        [
            *by,
            *("calls", *_COUNTS, "unpriced_calls"),
            *(f"cost_{it.lower()}" for it in costs),
            *("open_calls", "reserved_tokens"),
            *(f"reserved_{it.lower()}" for it in held),
        ]
    )
    for it in found:
        cost, kept = summed(it.costs), summed(it.reserved)
        out.writerow(
            [
                *(in_a_cell(_NAMES[key](it)) for key in by),
                *(it.calls, *counts(it.usage), it.unpriced_calls),
                *(decimal(cost.get(each, 0)) for each in costs),
                *(it.open_calls, it.reserved_tokens),
                *(decimal(kept.get(each, 0)) for each in held),
            ]
        )


def counts(usage: Usage) -> list[int]:
    """The tokens of each kind."""
    return [getattr(usage, name) for name in _COUNTS]


def count_names() -> tuple[str, ...]:
    """What these are called."""
    return _COUNTS


def _cells(groups: Sequence[Spending]) -> tuple[str, ...]:
    return (
        f"{sum(it.calls for it in groups):,}",
        f"{sum(it.usage.input_tokens for it in groups):,}",
        f"{sum(it.usage.output_tokens for it in groups):,}",
        _cost(groups),
        _reserved(groups),
    )


def _cost(groups: Sequence[Spending]) -> str:
    unpriced = sum(it.unpriced_calls for it in groups)
    cost = written(summed(cost for it in groups for cost in it.costs))
    unknown = f"{counted_in_words(unpriced, 'calls')} of unknown price" if unpriced else ""
    return " + ".join(filter(None, (cost, unknown))) or "0"


def _reserved(groups: Sequence[Spending]) -> str:
    tokens = sum(it.reserved_tokens for it in groups)
    money = written(summed(each for it in groups for each in it.reserved))
    return " + ".join(filter(None, (money, counted_in_words(tokens, "tokens") if tokens else "")))


def _measure(groups: Sequence[Spending]) -> tuple[Callable[[Spending], int], str]:
    """What bars show: the currency in which most was spent, or tokens, or calls."""
    sums = summed(cost for it in groups for cost in it.costs)
    if sums:
        currency = max(sums, key=sums.__getitem__)
        return lambda it: summed(it.costs).get(currency, 0), currency
    if any(map(_tokens, groups)):
        return _tokens, "tokens"
    return lambda it: it.calls + it.open_calls, "share"


def _tokens(it: Spending) -> int:
    return it.usage.input_tokens + it.usage.output_tokens


def _bar(amount: int, most: int) -> str:
    """Blocks in proportion; what is not nothing is seen."""
    return "█" * max(round(_BAR * amount / most), 1) if amount else ""


def _name(it: Spending, key: str) -> str:
    name = _NAMES[key](it)
    if key == "model" and it.kind == CALL_KIND_TOOL:
        return f"{name} (tool)"
    return name or ("nobody" if key == "user" else "none")


def _all_days(groups: Sequence[Spending], last: date) -> Iterable[Spending]:
    known = {it.day: it for it in groups}
    day = date.fromisoformat(groups[0].day)
    while day <= last:
        name = day.isoformat()
        yield known.get(name) or Spending(day=name)
        day += timedelta(days=1)
