"""Whose a task is: of a program that can be killed, halted and watched in one event loop."""

import asyncio
import contextvars
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_OWNER: contextvars.ContextVar["Place | None"] = contextvars.ContextVar("owner", default=None)
_PATIENCE = 200
_TASKS: weakref.WeakKeyDictionary["asyncio.Task[Any]", "Place | None"] = weakref.WeakKeyDictionary()


class Place:
    """A program. ``running`` is not set while it stands still."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.running = asyncio.Event()
        self.running.set()
        self.context = contextvars.copy_context()
        self.context.run(_OWNER.set, self)

    @staticmethod
    def watch(loop: asyncio.AbstractEventLoop) -> None:
        """Note whose each new task is."""

        def make(
            loop: asyncio.AbstractEventLoop, it: Coroutine[Any, Any, T], **about: Any
        ) -> "asyncio.Task[T]":
            context = about.get("context")
            owner = _OWNER.get() if context is None else context.get(_OWNER)
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
        self.running.set()
        for _ in range(_PATIENCE):
            if not (
                left := [it for it, of in list(_TASKS.items()) if of is self and not it.done()]
            ):
                return
            for task in left:
                task.cancel()
            await asyncio.sleep(0)
        raise AssertionError(f"{self.name} does not die: {left}")

    async def alive(self) -> None:
        """Wait while it stands still. Raises CancelledError when it is dead."""
        while not self.running.is_set():
            await self.running.wait()
        if self.dead:
            raise asyncio.CancelledError(f"{self.name} is dead")
