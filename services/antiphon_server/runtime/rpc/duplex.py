"""A stream that is read and written at the same time."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import grpc

from antiphon_server.runtime.errors import DomainError, Reason, invalid

FIRST_S = 10.0
"""So long a stream may be open before it is said what for."""


async def open_stream(context: Any) -> None:
    """Send the headers, before anything is written that may be given up half-way.

    gRPC takes them for unsent after a first write that was cancelled, sends them again with
    the status, and fails at that: the client would never learn that the stream has ended.
    """
    await context.send_initial_metadata(())


async def first_step(context: Any, step: str) -> Any:
    """What the first message has in its field ``step``; None if the client has nothing to say.

    Raises DomainError DEADLINE_EXCEEDED, and INVALID_ARGUMENT for one of another kind.
    """
    try:
        async with asyncio.timeout(FIRST_S):
            request = await context.read()
    except TimeoutError:
        raise DomainError(Reason.DEADLINE_EXCEEDED) from None
    if request is grpc.aio.EOF:
        return None
    if not request.HasField(step):
        raise invalid(step, "the first message of a stream")
    return getattr(request, step)


def not_first(step: str) -> DomainError:
    """Why a stream ends that says once more what it is for."""
    return invalid(step, "the first message of a stream, and no other")


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
