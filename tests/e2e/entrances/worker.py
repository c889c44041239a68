"""A worker that has others work on samples, which its messages name. Run as a program."""

import asyncio

from antiphon_client.worker import Work, Worker
from tests.e2e.entrances.later import HANDLER, TOLD
from tests.filters.corpus import ATTACKS, HARMLESS

SAMPLES = {it.name: it for it in (*ATTACKS, *HARMLESS)}


async def ask(work: Work) -> None:
    """Say why it was refused, if it was."""
    end = await work.delegate("echo", SAMPLES[work.message].parts[0], time_limit_s=60)
    await work.write(f"{TOLD}{end.error.reason if end.error else ''}")


def main() -> None:
    """Serve the handler until told to stop."""
    worker = Worker("asking", slots=100)
    worker.handler(HANDLER, description="Asks others.")(ask)
    asyncio.run(worker.run())


if __name__ == "__main__":
    main()
