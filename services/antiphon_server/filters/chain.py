"""The filters of a parent, one after the other."""

import asyncio
from asyncio import to_thread
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from antiphon_server.filters.checking import broken
from antiphon_server.filters.finding.model import Found
from antiphon_server.filters.leaving import left
from antiphon_server.filters.model import (
    MOST_CATEGORIES,
    Action,
    Filter,
    Kind,
    Origin,
    Screened,
    Stage,
    Verdict,
)
from antiphon_server.filters.ports import Looks
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.telemetry.structured import structlog

log = structlog.get_logger(__name__)

MANY = 200
"""More places than that are cut out by a thread: each takes some microseconds."""


@dataclass(frozen=True, slots=True)
class _Ready:
    filter: Filter
    looks: Looks


@dataclass(frozen=True, slots=True)
class _Unable:
    """What can't look here: it is of a newer server, or something is not installed."""

    why: DomainError

    async def __call__(self, texts: Sequence[str], origin: Origin) -> Sequence[Found]:
        raise self.why


class Chain:
    """All filters of a parent at a revision, ready to look.

    ``eyes`` makes what looks for a kind of things. A filter for which it can't is one that can't
    look: what it says is as declared. ``broken`` says why these could not be set here.
    """

    def __init__(
        self, parent: str, revision: int, filters: Sequence[Filter], eyes: Callable[[Kind], Looks]
    ) -> None:
        self.parent, self.revision, self._eyes = parent, revision, eyes
        self.broken = broken(filters)
        self._ready = [_Ready(it, self._looks(it)) for it in filters if not it.disabled]

    def _looks(self, it: Filter) -> Looks:
        try:
            if not it.known:
                raise DomainError(Reason.FILTER_UNAVAILABLE, filter=it.name)
            return self._eyes(it.kind)
        except DomainError as error:
            self.broken = self.broken or error
            return _Unable(error)

    def at(self, stage: Stage) -> Iterator[Filter]:
        """Those that look at what comes from there."""
        return (it.filter for it in self._ready if stage in it.filter.stages)

    async def screen(self, screened: Screened, origin: Origin) -> Screened:
        """Look at what is left by those before, until one refuses it."""
        for ready in self._ready:
            if screened.refused:
                break
            if origin.stage in ready.filter.stages:
                screened = await self._look(ready, screened, origin)
        return screened

    async def _look(self, ready: _Ready, before: Screened, origin: Origin) -> Screened:
        it = ready.filter
        try:
            async with asyncio.timeout(it.timeout_s):
                found = await ready.looks(before.texts, origin)
        except Exception as error:
            verdict = Verdict(self.parent, it.name, Action.PASS, failure=_why(it, error))
            verdicts = (*before.verdicts, verdict)
            return replace(before, verdicts=verdicts, refused=not it.fails_open)
        return await self._judged(it, before, found) if found else before

    async def _judged(self, it: Filter, before: Screened, found: Sequence[Found]) -> Screened:
        """What a filter makes of what it has found."""
        texts, action = before.texts, it.action
        if action is Action.HOLD and before.cuts_held:
            action = Action.SANITISE
        if action is Action.SANITISE:
            asked = texts, found, before.room
            cut = await to_thread(left, *asked) if len(found) > MANY else left(*asked)
            texts, action = (texts, Action.BLOCK) if cut is None else (cut, action)
        categories = tuple(sorted({each.category for each in found}))[:MOST_CATEGORIES]
        verdict = Verdict(self.parent, it.name, action, categories, len(found))
        verdicts, refused = (*before.verdicts, verdict), action is Action.BLOCK
        return replace(before, texts=texts, verdicts=verdicts, refused=refused)


def _why(it: Filter, error: Exception) -> str:
    """The reason's name. What was looked at is in no log, so an error's own text is not told."""
    if isinstance(error, TimeoutError):
        return Reason.DEADLINE_EXCEEDED.value
    if isinstance(error, DomainError):
        return error.reason.value
    log.error("a filter broke", filter=it.name, error=type(error).__name__)
    return Reason.INTERNAL.value
