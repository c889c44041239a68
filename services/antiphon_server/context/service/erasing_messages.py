"""Messages are erased some at a time, as far as their turns have ended."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TypeAlias

from antiphon_server.context.model.erasure_tasks import ErasureTask, Unerased
from antiphon_server.context.ports import Records, Store
from antiphon_server.context.service.erasing import Erasing
from antiphon_server.context.service.erasure_tasks import SERVICE
from antiphon_server.runtime.errors import DomainError, Reason

BATCH = 50
Page: TypeAlias = Callable[[Records, Unerased | None], Sequence[Unerased]]
"""The messages behind that one, or the first; none: there are no more."""


class ErasingMessages:
    """Erases what a task finds; ``keep`` stores how far it is."""

    def __init__(
        self, store: Store, erasing: Erasing, keep: Callable[[ErasureTask], Awaitable[None]]
    ) -> None:
        self._store, self._erasing, self._keep = store, erasing, keep

    async def erase(self, task: ErasureTask, page: Page, *, answers: bool) -> ErasureTask:
        """Erase all of it, with ``answers`` also what was answered.

        Raises DomainError TURN_NOT_ENDED, of the first turn, when all that has ended is erased.
        """
        blocked: DomainError | None = None
        after: Unerased | None = None
        while some := await self._next(page, after):
            for batch in _batches(some):
                task, why = await self._erase(task, batch, answers=answers)
                blocked = blocked or why
            after = some[-1]
        if blocked is not None:
            raise blocked
        return task

    async def _next(self, page: Page, after: Unerased | None) -> Sequence[Unerased]:
        return await self._store.read(lambda r: page(r, after))

    async def _erase(
        self, task: ErasureTask, batch: Sequence[Unerased], *, answers: bool
    ) -> tuple[ErasureTask, DomainError | None]:
        """Erase what can be of a batch; with it, why the rest can't be."""
        blocked: DomainError | None = None
        left = [batch]
        while left:
            some = left.pop()
            where, ids = some[0].conversation_id, [it.message_id for it in some]
            try:
                erased = await self._erasing.erase(
                    SERVICE, where, ids, answers=answers, copies=False
                )
            except DomainError as error:
                if error.reason is not Reason.TURN_NOT_ENDED:
                    raise
                blocked = blocked or error
                left += _apart(some, str(error.metadata.get("turn_id", "")))
                continue
            task = replace(task, erased_messages=task.erased_messages + len(erased))
            await self._keep(task)
        return task, blocked


def _batches(some: Sequence[Unerased]) -> Iterator[Sequence[Unerased]]:
    """Each of one conversation."""
    for _, each in groupby(some, key=lambda it: it.conversation_id):
        those = list(each)
        for start in range(0, len(those), BATCH):
            yield those[start : start + BATCH]


def _apart(some: Sequence[Unerased], turn_id: str) -> Sequence[Sequence[Unerased]]:
    """What to try of messages of which one has to wait for that turn: those of others.

    Where none is of that turn, one is of a turn that has asked for it: half of them at a time.
    """
    others = [it for it in some if it.turn_id != turn_id]
    if len(others) < len(some):
        return [others] if others else []
    half = len(some) // 2
    return [some[half:], some[:half]] if half else []
