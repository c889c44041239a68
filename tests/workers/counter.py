"""A worker that counts: `60 20` is answered by 60 numbers, 20 ms apart; run as a program.

What begins and ends is printed, with the turn and its attempt.
"""

import asyncio
import sys

from antiphon_client.worker import Work, Worker


def _say(*words: object) -> None:
    print(*words, flush=True)


async def count(work: Work) -> None:
    """Go on behind what was said."""
    many, gap_ms = map(int, work.message.split()[:2])
    said = len(work.resumed_text.split())
    _say("begun", work.turn_id, work.attempt, said)
    try:
        for number in range(said, many):
            await work.write(f"{number} ")
            await asyncio.sleep(gap_ms / 1000)
    except asyncio.CancelledError:
        _say("stopped", work.turn_id)
        raise
    _say("ended", work.turn_id)


def main() -> None:
    """Serve the handler until told to stop."""
    worker = Worker("counter", version=sys.argv[1] if sys.argv[1:] else "", slots=100)
    worker.handler("counter", description="Counts.")(count)
    asyncio.run(worker.run())


if __name__ == "__main__":
    main()
