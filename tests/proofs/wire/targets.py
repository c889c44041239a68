"""Where inputs go: a server's process over sockets, or the same server in this process."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import psutil

from antiphon_server.app import running
from antiphon_server.runtime.telemetry.logs import configure_logging
from antiphon_server.settings import Settings
from tests.e2e.callers import channel_to
from tests.e2e.server import ServerProcess

MODEL = "scripted/echo"
CONNECTIONS = 4
OWN = {"grpc.use_local_subchannel_pool": 1, "grpc.max_receive_message_length": -1}


@dataclass(frozen=True, slots=True)
class Target:
    """A server: ``channels`` to it, its memory, and the defects in its log."""

    channels: tuple[grpc.aio.Channel, ...]
    operator_key: str
    resident_bytes: Callable[[], int]
    defects: Callable[[], list[str]]
    restarts: Callable[[], int]
    local: bool = False
    address: str = ""


@asynccontextmanager
async def over_sockets(home: Path, connections: int = CONNECTIONS) -> AsyncIterator[Target]:
    """A server in a process of its own."""
    async with AsyncExitStack() as stack:
        unlimited = {"ANTIPHON_RATE_LIMITS": '{"enabled": false}'}  # refusals would test nothing
        server = await stack.enter_async_context(
            ServerProcess(home, model=MODEL, variables=unlimited)
        )
        channels = tuple(
            [await stack.enter_async_context(channel_to(server, **OWN)) for _ in range(connections)]
        )
        yield Target(
            channels,
            server.key.secret,
            lambda: server.resident_bytes,
            lambda: server.defects,
            lambda: server.exits,
            address=server.address,
        )


@asynccontextmanager
async def in_process(home: Path) -> AsyncIterator[Target]:
    """A server in this process, called through its local channel: every guard, no socket."""
    gc.collect()  # what others left behind is not to be logged here
    log = home / "server.log"
    await asyncio.to_thread(configure_logging, "warning", "json", log)
    settings = Settings(port=0, admin_port=None, data_dir=home / "data", model=MODEL)
    async with running(settings) as app:
        key = (home / "data" / "operator.key").read_text().strip()
        yield Target(
            (app.table.channel(),),
            key,
            lambda: int(psutil.Process().memory_info().rss),
            lambda: _defects(log),
            lambda: int(app.crashed.is_set()),
            local=True,
        )


def _defects(log: Path) -> list[str]:
    with contextlib.suppress(OSError):
        lines: list[Any] = log.read_text(errors="replace").splitlines()
        return [line for line in lines if '"level": "error"' in line or "Traceback" in line]
    return []
