"""The configured models."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property

from antiphon_server.integration.models.counting import FOUR_BYTES, Counting
from antiphon_server.integration.models.model import Failure, ModelName, PartKind, PromptMessage
from antiphon_server.integration.models.ports import ModelBackend
from antiphon_server.integration.models.pricing import Prices
from antiphon_server.integration.models.room import UNLIMITED, Limits, Room, room_of
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.runtime.concurrency.breaker import USUAL, Breaker, Passage, State
from antiphon_server.runtime.concurrency.breaker import Limits as BreakerLimits
from antiphon_server.runtime.concurrency.bulkhead import Bulkhead
from antiphon_server.runtime.concurrency.retry_budget import RetryBudget
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.paging import decode_page_token, encode_page_token
from antiphon_server.runtime.telemetry.structured import structlog

_LISTED = "models"
PRICES_AGAIN_S = 60.0
"""How long a model that has no known price is taken to have none."""

logger = structlog.get_logger(__name__)


class ConfiguredModel:
    """One model: its settings, its backend, what guards it, and its prices once they are known."""

    def __init__(
        self,
        settings: ModelSettings,
        backend: ModelBackend,
        limits: Limits = UNLIMITED,
        breaker: BreakerLimits = USUAL,
        counting: Counting = FOUR_BYTES,
    ) -> None:
        self.settings = settings
        self.backend = backend
        self.counting = counting
        self._limits = limits
        self.breaker = Breaker(replace(breaker, slow_s=settings.slow_after_s), self._turned)
        self.places = Bulkhead(settings.places)
        self.retries = RetryBudget()
        self.last_failure: Failure | None = None
        self.told: list[Callable[[ConfiguredModel], None]] = []
        """Whom it tells that its breaker was opened or closed."""
        self._pricing: asyncio.Task[Prices | None] | None = None
        self._priced_at = 0.0

    @property
    def accepts(self) -> frozenset[PartKind]:
        """The kinds of parts that it takes."""
        return self.settings.accepts

    @property
    def name(self) -> ModelName:
        """What callers call it."""
        return self.settings.model_name

    @asynccontextmanager
    async def call(self) -> AsyncIterator[Passage]:
        """Make one call within, when there is a place for it. Raises BreakerOpen, NoPlace."""
        self.breaker.check()
        async with self.places:
            with self.breaker.passing() as passage:
                yield passage

    def prices_by_now(self) -> Prices | None:
        """The prices if they are known already; otherwise begins to find them out."""
        return self._priced_by(self._looking_up())

    @cached_property
    def missing(self) -> str:
        """What is missing here for it to be asked, in words; empty if nothing is."""
        return self.backend.missing()

    async def prices(self) -> Prices | None:
        """The prices, None if unknown."""
        looking_up = self._looking_up()
        if not looking_up.done():
            await asyncio.wait([looking_up])
        return self._priced_by(looking_up)

    async def count(self, messages: Sequence[PromptMessage]) -> tuple[int, bool]:
        """How many tokens the messages have, and whether that is exact."""
        exact = await self.backend.count(messages)
        if exact is not None:
            return exact, True
        await self.counting.prepare(messages, (), sys.maxsize)
        return self.counting.of_messages(messages), self.counting.exact

    async def context_tokens(self) -> int:
        """The most tokens that prompt and answer may have together; 0 if unknown."""
        return self.settings.context_tokens or await self.backend.context_tokens()

    async def described(self) -> "DescribedModel":
        """The model with all that is known of it."""
        prices = await self.prices()
        asked = prices.at(time.time_ns() // 1000) if prices else None
        return DescribedModel(self, asked, await self.context_tokens(), await self.room())

    async def room(self, asked: int = 0) -> Room:
        """The room for a prompt whose answer shall have ``asked`` tokens at most (0: not said)."""
        return room_of(self.settings, self._limits, await self.context_tokens(), asked)

    async def close(self) -> None:
        """Release what the backend holds."""
        if self._pricing is not None:
            await asyncio.wait([self._pricing])
        await self.backend.close()

    def _turned(self, state: State) -> None:
        by_hand = {"by_hand": True} if self.breaker.by_hand else {}
        logger.warning("model's breaker", model=self.name, state=state.name, **by_hand)
        for tell in self.told:
            tell(self)

    def _priced_by(self, task: asyncio.Task[Prices | None]) -> Prices | None:
        return task.result() if _succeeded(task) else self.settings.prices

    def _looking_up(self) -> asyncio.Task[Prices | None]:
        task, now = self._pricing, time.monotonic()
        if task is None or (_found_none(task) and now > self._priced_at + PRICES_AGAIN_S):
            task = asyncio.create_task(self.backend.prices(), name=f"prices {self.name}")
            self._pricing, self._priced_at = task, now
        return task


@dataclass(frozen=True, slots=True)
class DescribedModel:
    """A model, and what others know of it or is said of all."""

    model: ConfiguredModel
    prices: Prices | None
    context_tokens: int
    room: Room


class Catalogue:
    """All configured models, the default first."""

    def __init__(
        self,
        settings: Sequence[ModelSettings],
        make: Callable[[ModelSettings], ModelBackend],
        limits: Limits = UNLIMITED,
        breaker: BreakerLimits = USUAL,
        counting: Callable[[ModelSettings], Counting] = lambda _: FOUR_BYTES,
    ) -> None:
        models = (
            ConfiguredModel(one, make(one), limits, breaker, counting(one)) for one in settings
        )
        self._models = {one.name: one for one in models}

    def page(self, limit: int, page_token: str) -> tuple[list[ConfiguredModel], str]:
        """A page, the default first, and the next one's token (empty on the last).

        Raises DomainError PAGE_TOKEN_INVALID.
        """
        names, start = list(self._models), 0
        if (position := decode_page_token(page_token, _LISTED, 1)) is not None:
            if position[0] not in self._models:
                raise DomainError(Reason.PAGE_TOKEN_INVALID)
            start = names.index(ModelName(position[0])) + 1
        page = names[start : start + limit]
        more = start + limit < len(names)
        token = encode_page_token(_LISTED, page[-1]) if more else ""
        return [self._models[name] for name in page], token

    def named(self, name: str) -> ConfiguredModel:
        """The model of that name; the default for an empty one.

        Raises DomainError MODEL_NOT_FOUND.
        """
        wanted = ModelName(name) if name else next(iter(self._models), ModelName(""))
        if wanted not in self._models:
            raise DomainError(Reason.MODEL_NOT_FOUND, model=wanted)
        return self._models[wanted]

    def chosen(self, names: Sequence[str]) -> list[ConfiguredModel]:
        """The named models in order, each once; the default if none is named.

        Raises DomainError MODEL_NOT_FOUND.
        """
        return [self.named(name) for name in dict.fromkeys(names or [""])]

    def look_up_default(self) -> None:
        """Begin to find out what the default costs, which the end of the first call waits for."""
        if self._models:
            self.named("").prices_by_now()

    @property
    def all(self) -> Collection[ConfiguredModel]:
        """All, the default first."""
        return self._models.values()

    def unusable(self) -> Iterator[ConfiguredModel]:
        """Those that can't be asked as they are configured."""
        return (model for model in self._models.values() if model.missing)

    async def close(self) -> None:
        """Close every backend."""
        for model in self._models.values():
            await model.close()


def _found_none(task: asyncio.Task[Prices | None]) -> bool:
    return task.done() and (not _succeeded(task) or task.result() is None)


def _succeeded(task: asyncio.Task[Prices | None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None
