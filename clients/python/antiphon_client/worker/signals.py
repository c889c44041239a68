"""A process's wish to end, by signal."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_ENDING = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def told_by_signals(told: Callable[[], None]) -> Iterator[None]:
    """Call ``told`` at SIGTERM or SIGINT, where the running loop can hear them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    heard = [number for number in _ENDING if _hear(loop, number, told)]
    try:
        yield
    finally:
        for number in heard:
            loop.remove_signal_handler(number)


def _hear(loop: asyncio.AbstractEventLoop, number: int, told: Callable[[], None]) -> bool:
    try:
        loop.add_signal_handler(number, told)
    except NotImplementedError:  # Windows
        return False
    return True
