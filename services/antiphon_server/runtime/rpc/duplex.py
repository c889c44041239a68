"""A stream that is read and written at the same time."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def open_stream(context: Any) -> None:
    """Send the headers, before anything is written that may be given up half-way.

    gRPC takes them for unsent after a first write that was cancelled, sends them again with
    the status, and fails at that: the client would never learn that the stream has ended.
    """
    await context.send_initial_metadata(())


async def serve_duplex(
    reading: Coroutine[Any, Any, None], writing: Coroutine[Any, Any, None]
) -> None:
    """Run both until ``writing`` returns or either fails, and raise what failed.

    ``reading`` may return earlier: the client has nothing more to say but listens on.
    """
    read = asyncio.create_task(reading, name="stream-read")
    write = asyncio.create_task(writing, name="stream-write")
    try:
        await asyncio.wait({read, write}, return_when=asyncio.FIRST_COMPLETED)
        if read.done():
            read.result()
            await asyncio.wait({write})
        write.result()
    finally:
        read.cancel()
        write.cancel()
        await asyncio.gather(read, write, return_exceptions=True)
