"""Starts the llama.cpp process when it is first needed, and again if it died."""

import asyncio
import contextlib
import logging
import secrets
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass

from antiphon_server.integration.models.adapters.failures import unavailable
from antiphon_server.integration.models.adapters.gguf import find_gguf

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 3.0
_MODULE = "antiphon_server.integration.models.adapters.llama_process"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the process listens, and the key that it asks for."""

    url: str
    key: str


class LlamaServer:
    """One process for one GGUF file: the configured one, or that of the extra ``local``.

    It writes so many ``answers`` at once.
    """

    def __init__(self, model: str, gguf: str, context_tokens: int, answers: int = 4) -> None:
        self._model = model
        self._gguf = gguf
        self._context_tokens = context_tokens
        self._answers = answers
        self._process: Process | None = None
        self._starting: asyncio.Task[Address] | None = None

    async def address(self) -> Address:
        """Where to reach it; starts it unless it runs.

        Callers share one start; cancelling one of them does not stop it. Raises
        DomainError MODEL_NOT_FOUND if something is missing, MODEL_UNAVAILABLE if it
        does not come up.
        """
        if self._starting is None or self._failed():
            self._starting = asyncio.create_task(self._start(), name="llama-start")
            self._starting.add_done_callback(_seen)
        return await asyncio.shield(self._starting)

    async def close(self) -> None:
        """Stop the process; it ends when its standard input does."""
        if self._starting is not None:
            self._starting.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._starting
            self._starting = None
        if self._process is not None:
            await _stop(self._process)
            self._process = None

    def _failed(self) -> bool:
        """Whether the last start failed or what it started has ended."""
        if self._starting is None or not self._starting.done():
            return False
        if self._starting.cancelled() or self._starting.exception() is not None:
            return True
        return self._process is None or self._process.returncode is not None

    async def _start(self) -> Address:
        gguf = await asyncio.to_thread(find_gguf, self._model, self._gguf)
        key = secrets.token_urlsafe(24)
        command = [sys.executable, "-P", "-m", _MODULE, "--gguf", str(gguf)]
        command += ["--context-tokens", str(self._context_tokens)]
        command += ["--parallel", str(self._answers)]
        self._process = process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                url = await _handshake(process, key)
        except (TimeoutError, OSError) as error:
            await _stop(process)
            raise unavailable(self._model) from error
        except asyncio.CancelledError:
            await _stop(process)
            raise
        if not url:
            await self._report(process)
            raise unavailable(self._model)
        return Address(url, key)

    async def _report(self, process: Process) -> None:
        assert process.stderr is not None
        last_words = (await process.stderr.read(65536))[-2000:].decode(errors="replace")
        await _stop(process)
        log.error("the local model did not start: %s", last_words)


def _seen(start: asyncio.Task[Address]) -> None:
    """Take note of a failed start even if everybody who waited for it has gone."""
    if not start.cancelled():
        start.exception()


async def _handshake(process: Process, key: str) -> str:
    """Give the key, get the address; empty if the process ended first."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(ConnectionError):
        process.stdin.write(f"{key}\n".encode())
        await process.stdin.drain()
    return (await process.stdout.readline()).decode().strip()


async def _stop(process: Process) -> None:
    """Close its input, wait, then kill it."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
