"""A model hands its turn to people, by a tool: as its call has ended, they go on."""

import json
from collections.abc import Sequence

from antiphon_server.agents.ports import Round
from antiphon_server.dispatcher.handling import (
    CallOutcome,
    HandoffOrder,
    HandoffRole,
    Turn,
)
from antiphon_server.runtime.errors import DomainError, Reason

TOOL = "antiphon.hand_off"
MOST_REASON = 512
ROLES = {"members": HandoffRole.MEMBER, "admins": HandoffRole.ADMIN}


def order_from(arguments: str) -> HandoffOrder:
    """What a model says of it. Raises DomainError TOOL_ARGUMENTS_INVALID."""
    said = json.loads(arguments or "{}")
    reason, queue = said.get("reason"), said.get("queue", "members")
    if not isinstance(reason, str) or not 0 < len(reason) <= MOST_REASON:
        raise _invalid("$.reason", f"a text of 1 to {MOST_REASON} characters is wanted")
    if not isinstance(queue, str) or queue not in ROLES:
        raise _invalid("$.queue", f"one of {', '.join(ROLES)} is wanted")
    return HandoffOrder(reason, ROLES[queue])


def order_of(made: Round) -> HandoffOrder | None:
    """To whom a model has given its turn by what it called; None if it has not."""
    for call, end in zip(made.calls, made.ends, strict=True):
        if call.tool == TOOL and end.outcome is CallOutcome.SUCCEEDED:
            return order_from(call.arguments)
    return None


def left_over(turn: Turn, rounds: Sequence[Round]) -> HandoffOrder | None:
    """The order of an attempt that died before people had the turn.

    People who gave it back had it by one of the calls before.
    """
    orders = [order for made in rounds if (order := order_of(made)) is not None]
    is_newest = bool(rounds) and order_of(rounds[-1]) is not None
    return orders[-1] if is_newest and len(orders) > turn.times_returned else None


def _invalid(path: str, rule: str) -> DomainError:
    return DomainError(Reason.TOOL_ARGUMENTS_INVALID, tool=TOOL, path=path, rule=rule)
