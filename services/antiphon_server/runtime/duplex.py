"""A stream that is read and written at the same time."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import grpc

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.interceptors.errors import refuse

WRITE_TIMEOUT_S = 30.0


async def open_stream(context: Any) -> None:
    """Send the headers, before anything is written that may be given up half-way.

    gRPC takes them for unsent after a first write that was cancelled, sends them again with
    the status, and fails at that: the client would never learn that the stream has ended.
    """
    await context.send_initial_metadata(())


async def write_in_time(context: Any, frame: Any) -> None:
    """Write to a client that reads.

    The RPC ends with OVERLOADED, upon which the client may come back and resume, if it has
    read nothing for 30 s. That status waits behind what is not read, and so does this call:
    what the stream holds counts as its owner's until the client reads or goes. Raises
    AbortError then. A reader in this process is under its own caller's time limit.
    """
    if context.peer() == "local":
        await context.write(frame)
        return
    try:
        async with asyncio.timeout(WRITE_TIMEOUT_S):
            await context.write(frame)
    except TimeoutError:
        try:
            await refuse(
                context, DomainError(Reason.OVERLOADED, resource="stream", retry_after=1.0)
            )
        except grpc.aio.InternalError:  # it has gone
            raise asyncio.CancelledError from None


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
