"""Argon2id in a few threads, with few waiting: memory and time stay bounded."""

import asyncio
import base64
import logging
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from argon2 import Parameters, PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from antiphon_server.auth.adapters.appointments import Appointments
from antiphon_server.runtime.errors import DomainError, Reason

T = TypeVar("T")
log = logging.getLogger(__name__)
THREADS = 2
MOST_WAITING = 32
NICENESS = 10
FIRST_GUESS_S = 0.1
"""What an evaluation takes, until some were measured."""
NEWEST = 0.1
"""How much the newest evaluation counts in what one takes."""


class Argon2Pool:
    """A :class:`~antiphon_server.auth.ports.PasswordHasher` by argon2-cffi.

    The default parameters are RFC 9106's for little memory: 64 MiB an
    evaluation, so ``threads`` times that at most. What waits for a caller who has
    gone is never begun.
    """

    def __init__(
        self,
        parameters: Parameters = RFC_9106_LOW_MEMORY,
        threads: int = THREADS,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._parameters = parameters
        self._hasher = PasswordHasher.from_parameters(parameters)
        self._pool = ThreadPoolExecutor(
            threads, thread_name_prefix="argon2", initializer=_stand_back
        )
        self._threads = threads
        self._each_s = FIRST_GUESS_S
        self._appointments = Appointments()
        self._room = threads + most_waiting
        self._reserved = most_waiting // 4
        self.evaluations = 0

    @contextmanager
    def slot(self, *, reserved: bool = False) -> Iterator[None]:
        """See :meth:`PasswordHasher.slot`; a quarter of those who may wait have reserved ones."""
        if self._room <= (0 if reserved else self._reserved):
            later = self._appointments.make(self._each_s / self._threads)
            raise DomainError(Reason.OVERLOADED, resource="logins", retry_after=later)
        self._room -= 1
        try:
            yield
        finally:
            self._room += 1

    async def hash(self, password: bytes) -> str:
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, encoded: str, password: bytes) -> bool:
        return await self._run(lambda: self._verify(encoded, password))

    def decoy(self) -> str:
        chosen = self._parameters
        costs = f"m={chosen.memory_cost},t={chosen.time_cost},p={chosen.parallelism}"
        salt, digest = _random(chosen.salt_len), _random(chosen.hash_len)
        return f"$argon2id$v={chosen.version}${costs}${salt}${digest}"

    def outdated(self, encoded: str) -> bool:
        return extract_parameters(encoded) != self._parameters

    async def close(self) -> None:
        """Finish what runs; what waits is not begun."""
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)

    def _verify(self, encoded: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(encoded, password)
        except VerifyMismatchError:
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        self.evaluations += 1
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._timed, work)

    def _timed(self, work: Callable[[], T]) -> T:
        began = time.monotonic()
        try:
            return work()
        finally:
            self._each_s += (time.monotonic() - began - self._each_s) * NEWEST


def _stand_back() -> None:
    """Let everything else go first: a flood of logins shall not slow down other calls.

    On Linux a thread has a niceness and processors of its own, and those that it starts have
    the same. An evaluation starts four, which would take every processor; a nice thread
    that runs still has a few milliseconds before one that wakes up may go on. So one
    processor, if there are several, is left to the others. A system that forbids it is
    served all the same.
    """
    if sys.platform == "linux":
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
            processors = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, processors[:-1] or processors)
        except OSError as error:
            log.warning("logins may slow down other calls: %s", error)


def _random(length: int) -> str:
    return base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")
