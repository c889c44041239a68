"""A worker that says a little, and leaves the rest to people."""

import asyncio

from antiphon_client.worker import Work, Worker


async def hand_off(work: Work) -> None:
    """Say what it knows; what it is asked to do comes back to it once."""
    if work.resumed_text:
        await work.write("So be it.")
        return
    await work.write("I am not sure.")
    work.hand_off("it is about money", otherwise_text="Nobody knows.")


def main() -> None:
    """Serve the handler until told to stop."""
    worker = Worker("shy", version="1", slots=1)
    worker.handler("shy", description="Leaves much to people.")(hand_off)
    asyncio.run(worker.run())


if __name__ == "__main__":
    main()
