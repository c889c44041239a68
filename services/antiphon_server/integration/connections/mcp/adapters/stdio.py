"""A program as a server: its lines bounded, its environment clean, its group ended with it."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

import anyio
from mcp.client._transport import TransportStreams
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCResponse, jsonrpc_message_adapter

from antiphon_server.integration.connections.mcp.adapters.counted import MOST_OBJECTS, TOO_MANY
from antiphon_server.integration.connections.mcp.model import Limits, Program

GRACE_S = 0.5
"""So long a program may take to end, each time that it is told more plainly."""
HURRY_S = 0.02
"""The same where somebody waits for its end."""


@asynccontextmanager
async def speaking(
    program: Program, limits: Limits, hurried: Callable[[], bool]
) -> AsyncGenerator[TransportStreams]:
    """Start it, and speak with it by lines; when left, nothing of its process group is alive.

    One that says more than ``max_bytes`` and answers nothing is heard no longer. ``hurried`` says
    at the end whether somebody waits for it.
    """
    process = await asyncio.create_subprocess_exec(
        program.command,
        *program.arguments,
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={"PATH": os.defpath, "LANG": "C.UTF-8", **program.variables},
        cwd=program.folder,
        start_new_session=True,
        limit=limits.max_bytes,
    )
    heard_in, heard = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    said, said_out = anyio.create_memory_object_stream[SessionMessage](0)

    async def listen() -> None:
        assert process.stdout is not None
        async with heard_in:
            said = 0
            with suppress(anyio.BrokenResourceError, ValueError):  # closed here; a line too long
                while line := await process.stdout.readline():
                    message = _message(line)
                    said = 0 if _answers(message) else said + len(line)
                    if said > limits.max_bytes:
                        break
                    await heard_in.send(message)

    async def speak() -> None:
        assert process.stdin is not None
        with suppress(OSError):
            async for message in said_out:
                told = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                process.stdin.write(told.encode() + b"\n")
                await process.stdin.drain()
        heard_in.close()

    tasks = [asyncio.create_task(listen()), asyncio.create_task(speak())]
    try:
        yield heard, said
    finally:
        for stream in (heard, said, heard_in, said_out):
            stream.close()
        for task in tasks:
            task.cancel()
        await _ended(process, HURRY_S if hurried() else GRACE_S)
        await asyncio.gather(*tasks, return_exceptions=True)


def _message(line: bytes) -> SessionMessage | Exception:
    if line.count(b"{") > MOST_OBJECTS:
        return ValueError(TOO_MANY)
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError as error:
        return error


def _answers(message: SessionMessage | Exception) -> bool:
    if isinstance(message, Exception):
        return False
    return isinstance(message.message, JSONRPCResponse | JSONRPCError)


async def _ended(process: Process, grace_s: float) -> None:
    """Close its input, then tell its group to end, then end it: what it has started too."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        with suppress(TimeoutError):
            await _exited(process, grace_s)
            return
        _signal(process, signal.SIGTERM)
        with suppress(TimeoutError):
            await _exited(process, grace_s)
    finally:
        _signal(process, signal.SIGKILL)
        process._transport.close()  # type: ignore[attr-defined]  # what left its group holds pipes


async def _exited(process: Process, grace_s: float) -> None:
    """Not ``wait``, which waits for the pipes too, and a grandchild may hold them."""
    async with asyncio.timeout(grace_s):
        while process.returncode is None:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
