"""A turn whose handler vanished goes on at the fallback that the rule names which chose it."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from antiphon_server.dispatcher.handling import Handler, Vanished, Work
from antiphon_server.dispatcher.model import Turn
from antiphon_server.runtime.errors import DomainError

Named: TypeAlias = Callable[[str], Handler]


async def fallen_back(work: Work, named: Named, vanished: Vanished) -> Turn:
    """The turn as its fallback gets it.

    Raises ``vanished`` if there is none, if it does not take the message, or if it would come too
    late. That is when the handler has written something or called a tool: nobody can finish
    another's sentence, and nothing is to be done twice.
    """
    order = work.turn.order.fallen_back()
    if order is work.turn.order or work.outputs.said_bytes or work.past_calls:
        raise vanished
    if order.kinds:
        try:
            await named(order.handler).check(order, work.turn.workspace_id)
        except DomainError as refused:
            raise vanished from refused
    return replace(work.turn, order=order, fell_back=True)
