"""Every ledger keeps the same promises."""

from dataclasses import replace

import pytest

from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.ledger.model import (
    MODEL_CALL,
    Call,
    CallId,
    CallKind,
    Money,
    Outcome,
    Payer,
    Quantities,
    Settlement,
    Usage,
    UsageFilter,
    WorkspaceId,
)
from antiphon_server.integration.ledger.ports import Ledger
from tests.fakes.databases import on_each_kind

WORKSPACE = WorkspaceId("ws_00000001")
ALL = UsageFilter(WORKSPACE)
NOTHING = Usage(Quantities(), False, Money("USD", 0))
FORTY = replace(NOTHING, cost=Money("USD", 40))
EACH_KIND = Quantities(*range(1, len(Quantities._fields) + 1))
EXPECTED = Usage(Quantities(7, 0), True, Money("USD", 3))


ledger = on_each_kind(SqlLedger, metadata)


def call(
    number: int,
    *,
    workspace: str = WORKSPACE,
    turn: str = "",
    start_us: int = 0,
    conversation: str = "conv_00000001",
) -> Call:
    """Make a call that starts at ``number`` seconds unless told otherwise."""
    payer = Payer(WorkspaceId(workspace), conversation, turn)
    start_us = start_us or number * 1_000_000
    return Call(CallId(f"call_{number:03}"), payer, MODEL_CALL, "x/y", start_us, EXPECTED)


def settlement(
    tokens: tuple[int, int] = (10, 20),
    cost: Money | None = Money("USD", 5),  # noqa: B008 - frozen
    estimated: bool = False,
) -> Settlement:
    """Make a success."""
    return Settlement(Outcome.SUCCEEDED, Usage(Quantities(*tokens), estimated, cost), 12)


async def settled(ledger: Ledger, it: Call, how: Settlement | None = None) -> None:
    """Open and settle."""
    await ledger.open(it, "me")
    await ledger.settle(it.call_id, how or settlement())


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome(77)])
async def test_a_settled_call_is_told_as_it_was(ledger: Ledger, outcome: Outcome) -> None:
    """Everything that was written comes back, also an outcome that newer servers know."""
    failed = Settlement(outcome, Usage(EACH_KIND, True, Money("EUR", 9)), 34, "MODEL_UNAVAILABLE")
    it = call(1, turn="turn_1")
    await settled(ledger, it, failed)
    (told,) = await ledger.calls(ALL, None, 10)
    assert (told.call_id, told.payer, told.kind, told.target, told.start_us) == (
        it.call_id,
        it.payer,
        it.kind,
        it.target,
        it.start_us,
    )
    assert told.settlement == failed


async def test_a_call_of_another_kind_is_told_and_summed(ledger: Ledger) -> None:
    """One that has a price and no tokens, of a kind that only a newer server knows."""
    it = replace(call(1), kind=CallKind(7), target="files.search", expected=NOTHING)
    await settled(ledger, it, Settlement(Outcome.SUCCEEDED, FORTY, 3))
    (told,) = await ledger.calls(ALL, None, 10)
    assert (told.kind, told.target) == (it.kind, "files.search")
    assert told.settlement.usage == FORTY
    await settled(ledger, call(2))
    assert await ledger.total(ALL) == Usage(Quantities(10, 20), False, Money("USD", 45))


async def test_each_kind_of_tokens_is_summed_by_itself(ledger: Ledger) -> None:
    """None is lost, or counted as another."""
    how = Settlement(Outcome.SUCCEEDED, Usage(EACH_KIND, False, None), 1)
    for number in (1, 2):
        await settled(ledger, call(number), how)
    assert (await ledger.total(ALL)).quantities == tuple(2 * count for count in EACH_KIND)


async def test_an_open_call_is_neither_listed_nor_summed(ledger: Ledger) -> None:
    """What a running call will consume is not known."""
    await ledger.open(call(1), "me")
    assert await ledger.calls(ALL, None, 10) == []
    assert await ledger.total(ALL) == NOTHING


async def test_the_first_settlement_stands(ledger: Ledger) -> None:
    """A second one changes nothing, nor does one of a call that was never opened."""
    await settled(ledger, call(1))
    await ledger.settle(CallId("call_001"), settlement((1000, 1000)))
    await ledger.settle(CallId("call_999"), settlement((1000, 1000)))
    assert (await ledger.total(ALL)).quantities.input_tokens == 10


async def test_what_a_dead_process_left_open_is_unknown(ledger: Ledger) -> None:
    """Only its own calls, with what their prompts were expected to consume."""
    await ledger.open(call(1), "me")
    await ledger.open(call(2), "another")
    await settled(ledger, call(3))
    assert await ledger.abandon("me") == 1
    told = await ledger.calls(ALL, None, 10)
    assert [(one.call_id, one.settlement.outcome) for one in told] == [
        ("call_003", Outcome.SUCCEEDED),
        ("call_001", Outcome.UNKNOWN),
    ]
    assert told[1].settlement.usage == EXPECTED
    assert await ledger.abandon("me") == 0


async def test_who_was_given_up_too_soon_still_knows_best(ledger: Ledger) -> None:
    """A process that only stood still settles its calls, once, though others gave them up."""
    await ledger.open(call(1), "me")
    assert await ledger.abandon("me") == 1
    await ledger.settle(CallId("call_001"), settlement())
    await ledger.settle(CallId("call_001"), settlement((1000, 1000)))
    (told,) = await ledger.calls(ALL, None, 10)
    assert told.settlement == settlement()


async def test_calls_come_newest_first_in_pages(ledger: Ledger) -> None:
    """Behind a position; calls of one microsecond are told apart by their ids."""
    for number in range(1, 6):
        await settled(ledger, call(number, start_us=1_000_000 * (number // 2)))
    seen: list[str] = []
    before = None
    while page := await ledger.calls(ALL, before, 2):
        seen += [one.call_id for one in page]
        before = (page[-1].start_us, page[-1].call_id)
    assert seen == ["call_005", "call_004", "call_003", "call_002", "call_001"]


async def test_a_turn_is_one_of_its_conversation(ledger: Ledger) -> None:
    """Two conversations of a workspace may have used the same turn id."""
    for number in (1, 2):
        await settled(ledger, call(number, turn="turn_a", conversation=f"conv_0000000{number}"))
    one = UsageFilter(WORKSPACE, turn_id="turn_a", conversation_id="conv_00000002")
    assert [found.call_id for found in await ledger.calls(one, None, 10)] == ["call_002"]
    assert (await ledger.total(one)).quantities.input_tokens == 10
    both = await ledger.total(UsageFilter(WORKSPACE, turn_id="turn_a"))
    assert both.quantities.input_tokens == 20


async def test_filters_choose_workspace_turn_and_time(ledger: Ledger) -> None:
    """The start is included, the end is not, and other workspaces never show."""
    await settled(ledger, call(1, turn="turn_a"))
    await settled(ledger, call(2, turn="turn_b"))
    await settled(ledger, call(3, turn="turn_a"))
    await settled(ledger, call(4, workspace="ws_00000002", turn="turn_a"))
    for wanted, expected in (
        (UsageFilter(WORKSPACE, turn_id="turn_a"), ["call_003", "call_001"]),
        (UsageFilter(WORKSPACE, 2_000_000, 3_000_000), ["call_002"]),
        (UsageFilter(WORKSPACE, end_us=1_000_000), []),
        (UsageFilter(WorkspaceId("ws_00000002")), ["call_004"]),
    ):
        assert [one.call_id for one in await ledger.calls(wanted, None, 10)] == expected
        assert (await ledger.total(wanted)).quantities.input_tokens == 10 * len(expected)


async def test_the_total_sums_and_says_what_is_estimated(ledger: Ledger) -> None:
    """One estimate makes the whole an estimate."""
    await settled(ledger, call(1))
    assert await ledger.total(ALL) == Usage(Quantities(10, 20), False, Money("USD", 5))
    await settled(ledger, call(2), settlement((1, 2), Money("USD", 1), estimated=True))
    assert await ledger.total(ALL) == Usage(Quantities(11, 22), True, Money("USD", 6))


async def test_a_total_with_an_unknown_price_has_no_cost(ledger: Ledger) -> None:
    """Nor has one in two currencies; what was free has any currency."""
    await settled(ledger, call(1), settlement(cost=Money("EUR", 5)))
    await settled(ledger, call(2), settlement(cost=Money("USD", 0)))
    assert (await ledger.total(ALL)).cost == Money("EUR", 5)
    await settled(ledger, call(3, turn="turn_x"), settlement(cost=Money("USD", 5)))
    assert (await ledger.total(ALL)).cost is None
    await settled(ledger, call(4, turn="turn_y"), settlement(cost=None))
    assert (await ledger.total(UsageFilter(WORKSPACE, turn_id="turn_y"))).cost is None
