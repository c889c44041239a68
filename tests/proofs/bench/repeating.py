"""A worker that repeats its message word by word, as ``echo`` does; or says what time it is.

``stamper`` takes "N GAP_MS" and answers N times with the wall clock's, each as it is written.
"""

import asyncio
import re
import time

from antiphon_client.worker import Work, Worker

GAP_S = 0.02
_WORDS = re.compile(r"\s*\S+|\s+$")


async def repeat(work: Work) -> None:
    """Say what was said."""
    for word in _WORDS.findall(work.message):
        await work.write(word)
        await asyncio.sleep(GAP_S)


async def stamp(work: Work) -> None:
    """Say when it began, and when each further piece is written."""
    many, gap_ms = map(int, work.message.split())
    for _ in range(many):
        await work.write(f"{time.time():.6f} ")
        await asyncio.sleep(gap_ms / 1000)


def main() -> None:
    """Serve both until told to stop."""
    worker = Worker("repeating", slots=1000)
    worker.handler("repeater", description="Repeats.")(repeat)
    worker.handler("stamper", description="Says when.")(stamp)
    asyncio.run(worker.run())


if __name__ == "__main__":
    main()
