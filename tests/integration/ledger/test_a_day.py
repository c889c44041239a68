"""A day of calls by real prices: the ledger's sums are those of genai-prices' own arithmetic."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from decimal import ROUND_CEILING

import pytest
import pytest_asyncio
from genai_prices import Usage as PublicUsage
from genai_prices import calc_price
from genai_prices.data_snapshot import get_snapshot
from pydantic_ai.usage import RequestUsage

from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.ledger.model import (
    MODEL_CALL,
    Call,
    CallId,
    Money,
    Outcome,
    Payer,
    Quantities,
    Settlement,
    Usage,
    UsageFilter,
    WorkspaceId,
)
from antiphon_server.integration.models.adapters.openai_usage import tokens_of
from antiphon_server.integration.models.adapters.prices import PublicModels
from antiphon_server.integration.models.adapters.pydantic_ai_stream import (
    tokens_of as tokens_of_library,
)
from antiphon_server.integration.models.pricing import Prices, Tokens
from antiphon_server.integration.models.settings import ModelSettings
from tests.fakes.databases import opened_sqlite
from tests.integration.ledger.traffic import MODELS, Traffic, a_day

pytestmark = pytest.mark.asyncio(loop_scope="module")
CALLS = 5_600
WORKSPACE = WorkspaceId("ws_00000001")
ALL = UsageFilter(WORKSPACE)
NOTHING = Usage(Quantities(), True, Money("USD", 0))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def prices() -> dict[str, Prices]:
    """Of all models, as a server knows them."""
    public = PublicModels()
    found = {}
    for asked in MODELS:
        settings = ModelSettings(name=asked.name, kind="openai", base_url="http://127.0.0.1:1/v1")
        known = await public.prices(settings)
        assert known is not None, asked.name
        found[asked.name] = known
    return found


def read_by_us(it: Traffic) -> Tokens:
    """What the adapters make of the report."""
    if it.asked.flavour == "chat" or "prompt_tokens" in it.report:
        tokens = tokens_of(it.report)
        assert tokens is not None
        return tokens
    provider = it.asked.name.partition("/")[0]
    where = {"anthropic": "usage", "google": "usageMetadata"}[provider]
    usage = RequestUsage.extract(
        {where: it.report}, provider=provider, provider_url="", provider_fallback=provider
    )
    return tokens_of_library(usage)


def read_by_them(it: Traffic) -> PublicUsage:
    """What genai-prices makes of the report."""
    provider = it.asked.name.partition("/")[0]
    where = "usageMetadata" if provider == "google" else "usage"
    found = get_snapshot().find_provider(None, provider, None)
    _, usage = found.extract_usage({where: it.report}, api_flavor=it.asked.flavour)
    return usage


def priced_by_them(it: Traffic) -> int:
    """In millionths of a dollar, rounded up."""
    provider, _, model = it.asked.name.partition("/")
    then = datetime.fromtimestamp(it.start_us / 1_000_000, UTC)
    price = calc_price(read_by_them(it), model, provider_id=provider, genai_request_timestamp=then)
    return int((price.total_price * 1_000_000).to_integral_value(ROUND_CEILING))


async def replay(ledger: SqlLedger, number: int, it: Traffic, prices: Prices) -> None:
    """Open the call and settle it, as an attempt does."""
    payer = Payer(WORKSPACE, "conv_00000001", f"turn_{number % 97}")
    call_id = CallId(f"call_{number:05}")
    await ledger.open(Call(call_id, payer, MODEL_CALL, it.asked.name, it.start_us, NOTHING), "me")
    tokens = read_by_us(it)
    cost = prices.at(it.start_us).cost(tokens)
    used = Usage(tokens.quantities, False, cost)
    await ledger.settle(call_id, Settlement(Outcome.SUCCEEDED, used, 1))


@pytest.fixture(scope="module")
def day() -> list[Traffic]:
    return list(a_day(seed=16, calls=CALLS))


async def test_a_days_sums_are_those_of_an_independent_computation(
    day: list[Traffic], prices: dict[str, Prices]
) -> None:
    """Of each model and of all, to the millionth."""
    expected: Counter[str] = Counter()
    for it in day:
        expected[it.asked.name] += priced_by_them(it)
    async with opened_sqlite(metadata) as database:
        ledger = SqlLedger(database)
        await asyncio.gather(
            *(replay(ledger, at, it, prices[it.asked.name]) for at, it in enumerate(day))
        )
        booked: Counter[str] = Counter()
        for told in await ledger.calls(ALL, None, CALLS + 1):
            assert told.settlement.usage.cost is not None
            booked[told.target] += told.settlement.usage.cost.micros
        total = await ledger.total(ALL)
        await ledger.close()
    assert booked == expected
    assert total.cost == Money("USD", sum(expected.values()))
    assert all(total.quantities)


async def test_the_day_has_all_that_prices_depend_on(
    day: list[Traffic], prices: dict[str, Prices]
) -> None:
    """Every kind of tokens, tiers reached and just missed, both times of the day, fees."""
    tokens = [(it, read_by_us(it)) for it in day]
    of_each_kind = zip(*(used.quantities for _, used in tokens), strict=True)
    assert all(sum(counts) > 1000 for counts in of_each_kind)
    reached: Counter[tuple[str, bool]] = Counter()
    changed: Counter[tuple[str, bool]] = Counter()
    for it, used in tokens:
        asked = prices[it.asked.name]
        for tier in asked.tiers:
            reached[it.asked.name, used.input > tier.above] += 1
        if asked.changes:
            changed[it.asked.name, asked.at(it.start_us).rates != asked.rates] += 1
    tiered = {name for name, it in prices.items() if it.tiers}
    assert len(tiered) >= 6
    assert all(reached[name, over] > 20 for name in tiered for over in (True, False))
    assert len(changed) == 2
    assert any(it.rates.request for it in prices.values())


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_nothing_that_was_used_costs_more_than_was_reserved(
    seed: int, prices: dict[str, Prices]
) -> None:
    """What its tokens could have cost at the most, known before."""
    for it in a_day(seed, 1000):
        asked, tokens = prices[it.asked.name], read_by_us(it)
        sound = bool(tokens.audio_input or tokens.audio_output)
        most = asked.most(tokens.input, tokens.output, audio=sound)
        assert asked.at(it.start_us).cost(tokens).micros <= most.micros
