"""A worker that has others work: each line of what it is told is a handler and a message to it.

Run as a program; it serves trees and counts as well, which others may do, too.
"""

import asyncio

from antiphon_client.worker import Work, Worker
from tests.workers.counter import count
from tests.workers.tree import grow


async def lead(work: Work) -> None:
    """Have all lines worked on side by side, and say what came of them."""
    asked = [line.partition(" ") for line in work.message.splitlines()]
    await work.progress(f"asking {len(asked)}")
    ends = await work.delegate_all([(handler, message) for handler, _, message in asked])
    await work.write("\n".join(f"- {end.text or 'nothing'}" for end in ends))


def main() -> None:
    """Serve the handlers until told to stop."""
    worker = Worker("team", version="2026.11", slots=100)
    worker.handler("team", description="Has others work.")(lead)
    worker.handler("tree", description="Grows trees of turns.")(grow)
    worker.handler("counter", description="Counts.")(count)
    asyncio.run(worker.run())


if __name__ == "__main__":
    main()
