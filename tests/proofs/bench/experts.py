"""A worker of six experts, who say 25 examples each: those of the labelled set."""

import asyncio

from antiphon_client.worker import Work, Worker
from tests.proofs.routing.labelled import experts, messages

EXPERTS = {it.handler: it for it in experts(messages("declared"))}
EXAMPLES = 25


async def answer(work: Work) -> None:
    """Nobody is asked: what is measured is who would be."""
    await work.write("yes")


def main() -> None:
    """Serve them until told to stop."""
    worker = Worker("experts", slots=100)
    for name, it in EXPERTS.items():
        described = worker.handler(
            name, description=it.description, examples=it.examples[:EXAMPLES]
        )
        described(answer)
    asyncio.run(worker.run())


if __name__ == "__main__":
    main()
