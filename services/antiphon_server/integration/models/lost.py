"""Answers of servers that are gone: what others know of them is counted as if it were theirs."""

from dataclasses import replace

from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.model import (
    MODEL_CALL,
    Money,
    Payer,
    UnsettledCall,
    Usage,
)
from antiphon_server.integration.models.pricing import Rates, Tokens
from antiphon_server.runtime.encoding.token_estimate import tokens_of_bytes

CLOCKS_US = 60_000_000
"""How far the clocks of two servers may be from each other."""


class LostAnswers:
    """Has calls that nobody has settled cost what is known to have come of them."""

    def __init__(self, calls: PricedCalls) -> None:
        self._calls = calls

    async def answered(self, payer: Payer, created_us: int, text_bytes: int) -> None:
        """Note that the newest call for a turn, which was created then, has said so much.

        Calls of a turn are made one after the other, and none behind an answer that was lost.
        """
        since_us = created_us - CLOCKS_US
        call = await self._calls.newest_unsettled(payer, MODEL_CALL, since_us)
        if call is not None:
            await self._calls.expect(call.call_id, _said(call, tokens_of_bytes(text_bytes)))


def _said(call: UnsettledCall, tokens: int) -> Usage:
    """What the call has consumed if it said so many tokens, at the prices of its beginning."""
    expected, rated = call.expected, call.rated
    said = min(tokens, rated.most_output)
    quantities = expected.quantities._replace(output_tokens=said)
    cost = expected.cost
    if cost is not None:
        asked = Rates(rated.input_rate, rated.output_rate)
        before, after = (
            asked.micros(Tokens(it.input_tokens, it.output_tokens))
            for it in (expected.quantities, quantities)
        )
        cost = Money(cost.currency, cost.micros - before + after)
    return replace(expected, quantities=quantities, estimated=True, cost=cost)
