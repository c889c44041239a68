"""A worker as people write one: it works for as many seconds as it is asked to."""

import asyncio

from antiphon_client.worker import Work, Worker

worker = Worker("expert", slots=2)


@worker.handler("expert", description="Works.")
async def expert(work: Work) -> None:
    """Begin, work, end."""
    await work.write("begun")
    await asyncio.sleep(float(work.message))


if __name__ == "__main__":
    asyncio.run(worker.run())
