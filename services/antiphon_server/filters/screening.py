"""What is said is looked at by all filters that stand for it, and what they say is remembered."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from antiphon_server.filters.chain import Chain
from antiphon_server.filters.model import (
    ANY,
    Action,
    Filter,
    Origin,
    Room,
    Screened,
    Screening,
    Verdict,
)
from antiphon_server.filters.ports import ScreeningStore
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.revisions.model import GLOBAL
from antiphon_server.runtime.revisions.standing import Standing

Filters: TypeAlias = Standing[Filter, Chain]
RETRY_S = 1.0


def _now_us() -> int:
    return time.time_ns() // 1000


class Screener:
    """Looks at what is said, by the installation's filters and then by the workspace's."""

    def __init__(
        self, filters: Filters, store: ScreeningStore, now_us: Callable[[], int] = _now_us
    ) -> None:
        self._filters, self._store, self._now_us = filters, store, now_us

    async def chains(self, workspace_id: str) -> Sequence[Chain]:
        """Those that stand for a workspace, or for the installation alone."""
        return await self._filters.of(GLOBAL, *([workspace_id] if workspace_id != GLOBAL else ()))

    async def screen(
        self,
        texts: Sequence[str],
        origin: Origin,
        room: Room = ANY,
        *,
        holds: bool = False,
        cuts_held: bool = False,
    ) -> Screened:
        """Look at something, and say what is left of it, which keeps to its ``room``.

        ``holds``: it can wait for a person. Else where one should look at it, that is cut out if it
        ``cuts_held``, or all is refused.

        Raises DomainError CONTENT_BLOCKED, FILTER_UNAVAILABLE; what filters said is stored then,
        too.
        """
        screened = await self.look(texts, origin, room, holds=holds, cuts_held=cuts_held)
        if screened.verdicts:
            await self.keep(screened, origin)
        return screened

    async def look(
        self,
        texts: Sequence[str],
        origin: Origin,
        room: Room = ANY,
        *,
        holds: bool = False,
        cuts_held: bool = False,
    ) -> Screened:
        """As :meth:`screen`, but what filters say is neither stored nor raised."""
        chains = await self.chains(origin.workspace_id)
        screened = await look(chains, texts, origin, room, cuts_held=cuts_held)
        if screened.held_by is not None and not holds:
            return replace(screened, refused=True)
        return screened

    async def keep(self, screened: Screened, origin: Origin) -> None:
        """Store what filters have said. Raises as :meth:`screen`."""
        await self._store.add(self._screening(screened, origin))
        if screened.refused:
            raise _refusal(screened.held_by or screened.verdicts[-1])

    async def record(self, screening: Screening) -> None:
        """Keep what was said of an answer, once."""
        await self._store.add(replace(screening, created_us=self._now_us()))

    def _screening(self, it: Screened, origin: Origin) -> Screening:
        screening_id = new_id("scr")
        return Screening(screening_id, origin, it.action, it.refused, it.verdicts, self._now_us())


async def look(
    chains: Sequence[Chain],
    texts: Sequence[str],
    origin: Origin,
    room: Room = ANY,
    *,
    cuts_held: bool = False,
) -> Screened:
    """What chains say, one after the other."""
    screened = Screened(texts, room=room, cuts_held=cuts_held)
    for chain in chains:
        screened = await chain.screen(screened, origin)
    return screened


def _refusal(verdict: Verdict) -> DomainError:
    """Why something goes no further, by the verdict that says so."""
    if verdict.action in (Action.HOLD, Action.BLOCK):
        found = ",".join(verdict.categories)
        return DomainError(Reason.CONTENT_BLOCKED, filter=verdict.filter, categories=found)
    unavailable = Reason.FILTER_UNAVAILABLE
    return DomainError(unavailable, filter=verdict.filter, retry_after=RETRY_S)
