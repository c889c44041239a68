"""An event loop for several programs, of which one can stand still: no step of it is taken then."""

import asyncio
import contextvars
import heapq
from collections.abc import Callable
from typing import Any, Protocol

from tests.fakes.clocks import JumpingLoop


class Owner(Protocol):
    """A program. ``parked`` are its steps that were due while it stood still."""

    parked: list[asyncio.Handle]

    @property
    def is_halted(self) -> bool:
        """Whether it stands still."""
        ...


OWNER: contextvars.ContextVar[Owner | None] = contextvars.ContextVar("owner", default=None)


class _Handle(asyncio.Handle):
    def _run(self) -> None:
        if not _is_parked(self):
            super()._run()


class _Timer(asyncio.TimerHandle):
    def _run(self) -> None:
        if not _is_parked(self):
            super()._run()


def _is_parked(handle: Any) -> bool:
    owner = handle._context.get(OWNER)
    if owner is None or not owner.is_halted:
        return False
    owner.parked.append(handle)
    return True


class ProgramsLoop(JumpingLoop):
    """Takes a halted program's steps when it goes on, in the order in which they were due."""

    _ready: Any
    _scheduled: list[asyncio.TimerHandle]

    def go_on(self, owner: Owner) -> None:
        """Take what was parked."""
        parked, owner.parked = owner.parked, []
        self._ready.extend(it for it in parked if not it.cancelled())

    def _call_soon(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: contextvars.Context | None,
    ) -> asyncio.Handle:
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """See :meth:`asyncio.BaseEventLoop.call_at`."""
        timer = _Timer(when, callback, args, self, context)
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True  # type: ignore[attr-defined]
        return timer
