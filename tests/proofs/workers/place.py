"""Whose a task is: of a program that can be killed, halted and watched in one event loop."""

import asyncio
import contextvars
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from tests.proofs.workers.loop import OWNER, Owner, ProgramsLoop

P = ParamSpec("P")
T = TypeVar("T")
_PATIENCE = 200
_TASKS: weakref.WeakKeyDictionary["asyncio.Task[Any]", Owner | None] = weakref.WeakKeyDictionary()


class Place:
    """A program: see :class:`~tests.proofs.workers.loop.Owner`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.is_halted = False
        self.parked: list[asyncio.Handle] = []
        self.context = contextvars.copy_context()
        self.context.run(OWNER.set, self)

    @staticmethod
    def watch(loop: asyncio.AbstractEventLoop) -> None:
        """Note whose each new task is."""

        def make(
            loop: asyncio.AbstractEventLoop, it: Coroutine[Any, Any, T], **about: Any
        ) -> "asyncio.Task[T]":
            context = about.get("context")
            owner = OWNER.get() if context is None else context.get(OWNER)
            task = asyncio.Task(it, loop=loop, **about)
            _TASKS[task] = owner
            return task

        loop.set_task_factory(make)  # type: ignore[arg-type]

    def here(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call something as this program."""
        return self.context.copy().run(call, *args, **kwargs)

    def spawn(self, it: Coroutine[Any, Any, T], name: str) -> "asyncio.Task[T]":
        """A task of this program."""
        return self.here(lambda: asyncio.get_running_loop().create_task(it, name=name))

    async def kill(self) -> None:
        """End all that it does: nothing of it is stored or sent any more."""
        self.dead = True
        self.go_on()
        for _ in range(_PATIENCE):
            if not (
                left := [it for it, of in list(_TASKS.items()) if of is self and not it.done()]
            ):
                return
            for task in left:
                task.cancel()
            await asyncio.sleep(0)
        raise AssertionError(f"{self.name} does not die: {left}")

    def halt(self) -> None:
        """Let it stand still."""
        self.is_halted = True

    def go_on(self) -> None:
        """Let it go on."""
        self.is_halted = False
        loop = asyncio.get_running_loop()
        assert isinstance(loop, ProgramsLoop)
        loop.go_on(self)

    def alive(self) -> None:
        """Raises CancelledError when it is dead."""
        if self.dead:
            raise asyncio.CancelledError(f"{self.name} is dead")
