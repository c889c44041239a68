"""A worker that counts: `60 20` is answered by 60 numbers, 20 ms apart; run as a program.

What begins and ends is printed, with the turn, its attempt and the time; and how its streams are.
It is told its version, and how long its turns have to end when it stops.
"""

import asyncio
import logging
import sys
import time

from antiphon_client.redial import Connection
from antiphon_client.worker import Work, Worker

EXAMPLES = ("60 20", "Zähle bis 60, alle 20 ms")


def _say(*words: object) -> None:
    print(*words, f"{time.time():.3f}", flush=True)


def _connection(connection: Connection) -> None:
    _say("stream", connection.state, f"{connection.pause:.2f}", repr(str(connection.error or "")))


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
    version, grace_s = (*sys.argv[1:], *("", "20")[len(sys.argv) - 1 :])
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="log %(created).3f %(levelname)s %(message)s"
    )
    worker = Worker(
        "counter",
        version=version,
        slots=100,
        grace_s=float(grace_s),
        on_connection=_connection,
    )
    worker.handler("counter", description="Counts.", examples=EXAMPLES)(count)
    asyncio.run(worker.run())


if __name__ == "__main__":
    main()
