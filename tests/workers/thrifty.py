"""A worker that says what is left to it, in the order of the units; run as a program."""

import asyncio

from antiphon_client.worker import Work, Worker


async def look(work: Work) -> None:
    """Tell amounts, and of which there will be more."""
    left = sorted(work.budget_left.values(), key=lambda it: it.unit)
    said = [f"{it.unit} {it.amount}{' for now' if it.until else ''}" for it in left]
    await work.write(", ".join(said) or "no limit")


def main() -> None:
    """Serve the handler until told to stop."""
    worker = Worker("thrifty", slots=10)
    worker.handler("thrifty", description="Says what is left.")(look)
    asyncio.run(worker.run())


if __name__ == "__main__":
    main()
