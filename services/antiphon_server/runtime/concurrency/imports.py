"""Modules that are imported where they are first used, since they take their time."""

import asyncio
from collections.abc import Callable
from importlib import import_module
from threading import Lock
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")
_ONE_AT_A_TIME = Lock()
"""Two threads that import modules of one package can meet crosswise: Python then ends one of them
with an error of its own, and what it had begun to import is gone for the other."""


async def imported(name: str) -> ModuleType:
    """The module, imported off the loop. Raises ImportError."""
    return await importing(import_module, name)


async def importing(work: Callable[..., T], *arguments: object) -> T:
    """Do what imports more as it goes, where nothing else is imported meanwhile."""

    def alone() -> T:
        with _ONE_AT_A_TIME:
            return work(*arguments)

    return await asyncio.to_thread(alone)
