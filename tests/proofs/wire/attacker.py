"""The attacking process: ``python -m tests.proofs.wire.attacker NAME PORT``, until SIGTERM."""

import asyncio
import contextlib
import json
import signal
import sys

from tests.proofs.wire.floods import ATTACKS


async def attack(name: str, port: int) -> int:
    """Attack, again whenever the server closed the door; returns how many times."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    rounds = 0

    async def on_and_on() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            with contextlib.suppress(OSError, TimeoutError):
                await ATTACKS[name](port)
            await asyncio.sleep(0.01)

    attacking = asyncio.create_task(on_and_on())
    print("attacking", flush=True)
    await asyncio.wait(
        {attacking, asyncio.create_task(stopping.wait())}, return_when=asyncio.FIRST_COMPLETED
    )
    attacking.cancel()
    await asyncio.gather(attacking, return_exceptions=True)
    return rounds


if __name__ == "__main__":
    print(json.dumps({"rounds": asyncio.run(attack(sys.argv[1], int(sys.argv[2])))}))
