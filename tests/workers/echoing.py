"""A worker that repeats its message word by word, as the handler built in does; or stamps times.

``stamp N GAP_MS`` is answered by N times of the wall clock, each taken when it is written.
"""

import asyncio
import re
import time

from antiphon_client.worker import Work, Worker

GAP_S = 0.02
STAY_S = 1.0
_WORDS = re.compile(r"\s*\S+|\s+$")


async def repeat(work: Work) -> None:
    """Go on behind what was said."""
    for word in _WORDS.findall(work.message[len(work.resumed_text) :]):
        await work.write(word)
        await asyncio.sleep(GAP_S)


async def stamp(work: Work) -> None:
    """When it began, and when each piece was written; it stays a moment, to be looked at."""
    many, gap_ms = map(int, work.message.split()[:2])
    for _ in range(many):
        await work.write(f"{time.time():.6f} ")
        await asyncio.sleep(gap_ms / 1000)
    if many > 1:
        await asyncio.sleep(STAY_S)


def main() -> None:
    """Serve both until told to stop."""
    worker = Worker("echoing", slots=1000)
    worker.handler("repeater", description="Repeats.")(repeat)
    worker.handler("stamper", description="Says when.")(stamp)
    asyncio.run(worker.run())


if __name__ == "__main__":
    main()
