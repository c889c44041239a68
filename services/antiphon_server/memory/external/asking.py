"""Asks a memory of others beside the server's own, and never waits for it longer than it may."""

import asyncio
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice

from antiphon_server.memory.external.model import MOST_HITS, Answered, Heard, Hit, Question
from antiphon_server.memory.external.ports import ExternalMemory
from antiphon_server.runtime.concurrency.breaker import Breaker, BreakerOpen, Limits, State
from antiphon_server.runtime.concurrency.bulkhead import Bounds, Bulkhead, NoPlace
from antiphon_server.runtime.errors import DomainError

BREAKS = Limits(remembered=10, failures=5, open_s=10.0, probe_s=10.0)
"""Five recalls that waited in vain; then one in ten seconds does."""
BOUNDS = Bounds(calls=16, waiting=0, wait_s=0.0)
"""Nobody queues for it: who finds no place has the server's own answer at once."""
GRACE_S = 0.02
"""In which an answer is read that is there."""
MOST_LOOKED_AT = 10 * MOST_HITS
_ID = re.compile(r"mem_[0-9A-Za-z_-]{8,64}")
log = logging.getLogger(__name__)


class Asked:
    """A search that runs, from now on."""

    def __init__(
        self, asking: "asyncio.Task[Heard]", limit: asyncio.Timeout, deadline_s: float
    ) -> None:
        self._asking, self._limit = asking, limit
        self._until = asyncio.get_running_loop().time() + deadline_s

    async def heard(self) -> Heard:
        """What came of it; it is waited for until its deadline, and hardly if that is over.

        What came while the caller had else to do is not late.
        """
        if not self._asking.done():
            soon = asyncio.get_running_loop().time() + GRACE_S
            self._limit.reschedule(max(self._until, soon))
        return await self._asking


class Asking:
    """Asks it; ``searches`` counts what came of that.

    ``dropped`` counts hits that nobody could use, ``altered`` those with other texts than ours.
    """

    def __init__(
        self,
        memory: ExternalMemory,
        deadline_s: float,
        limits: Limits = BREAKS,
        bounds: Bounds = BOUNDS,
    ) -> None:
        self._memory, self._deadline_s = memory, deadline_s
        self._breaker, self._bulkhead = Breaker(limits, self._turned), Bulkhead(bounds)
        self.searches = Counter[Answered]()
        self.dropped = self.altered = 0

    @property
    def answers(self) -> bool:
        """Whether the next search asks it: it has not failed again and again just now."""
        return self._breaker.state is not State.OPEN

    def is_back(self) -> None:
        """Hear from elsewhere that it was away and is back: the next search asks it."""
        if self._breaker.state is not State.CLOSED:
            self._breaker.close()

    @asynccontextmanager
    async def asked(self, question: Question) -> AsyncIterator["Asked"]:
        """It is being asked within; whoever leaves waits no more."""
        limit = asyncio.timeout(None)
        asking = asyncio.ensure_future(self._heard(question, limit))
        try:
            await asyncio.sleep(0)  # it begins, while whoever asks has else to do
            yield Asked(asking, limit, self._deadline_s)
        finally:
            asking.cancel()
            await asyncio.wait([asking])

    async def _heard(self, question: Question, limit: asyncio.Timeout) -> Heard:
        heard = await self._tried(question, limit)
        self.searches[heard.answered] += 1
        return heard

    async def _tried(self, question: Question, limit: asyncio.Timeout) -> Heard:
        try:
            async with self._bulkhead:
                with self._breaker.passing() as passage:
                    heard = await self._in_time(question, limit)
                    passage.failed = heard.answered is not Answered.ANSWERED
                    return heard
        except (BreakerOpen, NoPlace):
            return Heard(Answered.LEFT_ALONE)

    async def _in_time(self, question: Question, limit: asyncio.Timeout) -> Heard:
        try:
            async with limit:
                return Heard(Answered.ANSWERED, _sound(await self._memory.search(question)))
        except TimeoutError:
            return Heard(Answered.LATE)
        except DomainError as error:
            log.info("the external memory can't be asked: %s", error.reason)
            return Heard(Answered.FAILED)
        except Exception:  # whatever others' programs have it meet: people get their answer
            log.exception("the external memory can't be asked")
            return Heard(Answered.FAILED)

    def _turned(self, state: State) -> None:
        word = "left alone for a while" if state is State.OPEN else "asked again"
        log.warning("the external memory is %s", word)


def _sound(hits: Sequence[Hit]) -> Sequence[Hit]:
    """The first of those that have an id, each once."""
    found = dict[str, Hit]()
    for it in islice(hits, MOST_LOOKED_AT):
        if len(found) == MOST_HITS:
            break
        if _ID.fullmatch(it.memory_id):
            found.setdefault(it.memory_id, it)
    return list(found.values())
