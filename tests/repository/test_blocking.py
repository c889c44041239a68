"""Blocking calls of the server's code on the event loop are found in every test."""

import time
from collections.abc import Callable
from types import ModuleType

import pytest
from blockbuster import BlockingError

import antiphon_server.runtime.net.tls
import antiphon_server.settings


def blocking_in(module: ModuleType, name: str) -> Callable[[], None]:
    """A function of that module and name which blocks."""
    assert module.__file__ is not None
    made: dict[str, Callable[[], None]] = {}
    source = f"def {name}():\n    import os\n    os.stat('/')"
    exec(compile(source, module.__file__, "exec"), made)
    return made[name]


async def test_a_blocking_call_of_the_server_is_found() -> None:
    """Wherever in its code it is, also where another function may."""
    for module in (antiphon_server.settings, antiphon_server.runtime.net.tls):
        with pytest.raises(BlockingError):
            blocking_in(module, "read")()


async def test_what_may_block_is_let_through() -> None:
    """The functions that are listed, and code that is not the server's."""
    blocking_in(antiphon_server.runtime.net.tls, "__init__")()
    time.sleep(0)  # noqa: ASYNC251 - what is tried


def test_off_the_loop_anything_may_block() -> None:
    """As in a thread, or before the server serves."""
    blocking_in(antiphon_server.settings, "read")()
