"""A worker whose turns ask for others: `3 2 100` has three ask for two each, which last 100 ms.

The leaves count; what comes of all is put together, in order. Run as a program.
"""

import asyncio

from antiphon_client.worker import Work, Worker


def _say(*words: object) -> None:
    print(*words, flush=True)


async def grow(work: Work) -> None:
    """Ask for as many as the first number says, which get the rest of the message."""
    many, *rest = work.message.split()
    _say("begun", work.turn_id, work.attempt, len(rest))
    try:
        if len(rest) > 1:
            message = " ".join(rest)
            ends = await work.delegate_all([("tree", message)] * int(many))
            said = [it.text if it.error is None else str(it.error.reason) for it in ends]
            await work.write(f"({' '.join(said)})")
        else:
            await asyncio.sleep(int(rest[0]) / 1000)
            await work.write("leaf")
    except asyncio.CancelledError:
        _say("stopped", work.turn_id)
        raise


def main() -> None:
    """Serve the handler until told to stop."""
    worker = Worker("tree", slots=100)
    worker.handler("tree", description="Grows trees of turns.")(grow)
    asyncio.run(worker.run())


if __name__ == "__main__":
    main()
