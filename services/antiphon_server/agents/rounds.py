"""What a turn has said and called before, put back together from its log."""

import json
from collections.abc import Sequence
from itertools import groupby

from antiphon_server.agents.ports import ToolPlan
from antiphon_server.dispatcher.handling import AskedCall, PastCall, ToolCall
from antiphon_server.runtime.errors import DomainError, Reason

GAP = "\n\n"
"""Stands between what is said before calls and behind them."""


def past_rounds(calls: Sequence[PastCall], text: str) -> list[tuple[str, list[PastCall]]]:
    """What a model said and asked for, step by step; ``text`` is the whole answer so far."""
    rounds: list[tuple[str, list[PastCall]]] = []
    begin = 0
    for _, of_step in groupby(calls, key=lambda it: it.call.step):
        its = list(of_step)
        rounds.append((text[begin : its[0].text_before].removeprefix(GAP), its))
        begin = its[0].text_before
    return rounds


def last_text(calls: Sequence[PastCall], text: str) -> str:
    """What a model said behind the newest calls; ``text`` is the whole answer so far."""
    return text[calls[-1].text_before :].removeprefix(GAP) if calls else text


def asked(call: ToolCall, plan: ToolPlan, refused: DomainError | None = None) -> AskedCall:
    """The call, as its tool is to be called."""
    tool = plan.named(call.tool)
    if tool is None:
        return AskedCall(call, refused=refused or plan.refusal(call.tool))
    return AskedCall(call, tool.asks, tool.repeatable, refused)


def garbled(tool: str, arguments: str) -> DomainError | None:
    """Why a call can't be made at all: nobody is asked to approve what is none."""
    try:
        if isinstance(json.loads(arguments or "{}"), dict):
            return None
    except (ValueError, RecursionError):
        pass
    return DomainError(
        Reason.TOOL_ARGUMENTS_INVALID, tool=tool, path="$", rule="a JSON object is wanted"
    )
