"""Turns that were claimed come into hand, whoever waits for that or does not."""

import asyncio

from antiphon_server.dispatcher.adoption import AT_ONCE
from antiphon_server.dispatcher.leases import Leases
from antiphon_server.dispatcher.model import ConversationId, Turn
from tests.dispatcher.world import CONVERSATION, World, a_turn

LEASE_S = 0.3


def others(count: int) -> list[Turn]:
    """Turns that nobody works on, each in a conversation of its own."""
    return [a_turn(n, conversation_id=ConversationId(f"conv_other{n:04}")) for n in range(count)]


def hold_up(it: World) -> tuple[list[Turn], asyncio.Event]:
    """Those that begin to be adopted; and what lets those of other conversations go on."""
    begun, go_on = list[Turn](), asyncio.Event()

    async def slowly(turn: Turn) -> None:
        begun.append(turn)
        if turn.conversation_id != CONVERSATION:
            await go_on.wait()

    it.recovery.adopt = slowly  # type: ignore[method-assign]
    return begun, go_on


async def test_nobody_waits_for_the_turns_of_others(it: World) -> None:
    """However many are before them, and though the log hangs for those."""
    begun, go_on = hold_up(it)
    it.adoptions.begin([*others(AT_ONCE + 1), a_turn(0)])
    async with asyncio.timeout(1):
        await it.adoptions.settled(ConversationId("conv_unknown"))
        await it.adoptions.settled(CONVERSATION)
    assert begun[-1].conversation_id == CONVERSATION
    assert len(begun) == AT_ONCE + 1
    go_on.set()
    await it.adoptions.all_settled()
    assert len(begun) == AT_ONCE + 2


async def test_who_gives_up_waiting_holds_up_nothing(it: World) -> None:
    """Nor those who wait on: they know only then that all is in hand."""
    (turn,) = others(1)
    begun, go_on = hold_up(it)
    it.adoptions.begin([turn])
    waiting, going = (
        asyncio.create_task(it.adoptions.settled(turn.conversation_id)) for _ in range(2)
    )
    await asyncio.sleep(0.01)
    going.cancel()
    await asyncio.wait([going])
    assert begun == [turn]
    assert not waiting.done()
    go_on.set()
    async with asyncio.timeout(1):
        await waiting


async def test_what_was_claimed_is_this_nodes_until_it_is_in_hand(it: World) -> None:
    """Its lease is renewed while it waits, so nobody claims it again; also later ones are."""
    (turn, later) = others(2)
    begun, go_on = hold_up(it)
    leases = Leases(it.store, it.recovery._lanes, it.adoptions, "node", LEASE_S)
    keeping = asyncio.create_task(leases.run())
    await it.arrange(turn)
    await asyncio.sleep(LEASE_S)
    await it.arrange(later)
    await asyncio.sleep(4 * LEASE_S)
    assert [each.turn_id for each in begun] == [turn.turn_id, later.turn_id]
    keeping.cancel()
    go_on.set()
    await asyncio.wait([keeping])


async def test_a_turn_that_another_node_has_by_now_is_left_to_it(it: World) -> None:
    """It was claimed, but its lease could not be renewed before it came into hand."""
    *turns, lost = others(AT_ONCE + 1)
    begun, go_on = hold_up(it)
    it.adoptions.begin([*turns, lost])
    it.adoptions.let_go({lost.turn_id})
    go_on.set()
    await it.adoptions.all_settled()
    assert begun == turns
