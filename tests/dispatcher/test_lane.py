"""Turns in hand."""

import asyncio
import time

from antiphon_server.dispatcher.lane import LOOK_S, LOOKS, ActiveTurn
from antiphon_server.dispatcher.model import Outcome, State
from tests.dispatcher.world import a_turn


async def test_a_process_that_stood_still_has_not_waited() -> None:
    """Whoever asks for a turn that is just ending gets its end, though the time was up at once."""
    begun = a_turn()
    ended = begun.ended(Outcome(State.SUCCEEDED), 2, has_reply=False)
    active = ActiveTurn(begun)
    active.seal()
    asked = asyncio.create_task(active.as_it_is())
    await asyncio.sleep(0)
    until = time.monotonic() + LOOKS * LOOK_S + 0.1
    while time.monotonic() < until:  # as after SIGSTOP and SIGCONT
        pass
    await asyncio.sleep(LOOK_S / 10)
    active.turn = ended
    active.done.set()
    assert (await asked).state is State.SUCCEEDED
