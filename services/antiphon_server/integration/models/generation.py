"""An answer from the first model that gives one: retry, then fallback."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from antiphon_server.integration.ledger.model import BudgetExceeded, Usage, total
from antiphon_server.integration.models.attempt import Attempts, Before, Emit, Ended, said_by
from antiphon_server.integration.models.catalogue import Catalogue, ConfiguredModel
from antiphon_server.integration.models.fitting import Fitted
from antiphon_server.integration.models.measuring import measured
from antiphon_server.integration.models.model import (
    AttemptStarted,
    Failure,
    Finished,
    ModelEnd,
    Order,
    Skipped,
    Step,
    Working,
)
from antiphon_server.integration.models.routing import Candidate, candidates
from antiphon_server.runtime.concurrency.breaker import BreakerOpen, Passage
from antiphon_server.runtime.concurrency.bulkhead import NoPlace
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.telemetry.structured import structlog

# A provider that refused, or was silent for long, is not asked again: the next model is.
_WORTH_RETRYING = frozenset({Reason.MODEL_UNAVAILABLE, Reason.MODEL_PROTOCOL})
_ITS_FAULT = _WORTH_RETRYING | {Reason.MODEL_TIMEOUT}
_TOO_MANY_REQUESTS = 429
Tell: TypeAlias = Callable[[Step], Awaitable[object]]

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on: ``retries`` a model at most, all waits together, and all in all."""

    retries: int = 2
    first_wait_s: float = 0.25
    longest_waits_s: float = 10.0
    total_s: float = 3600.0

    def pause(self, retry: int) -> float:
        """Seconds before that retry, the first being 0, behind those that the provider asks for.

        Who failed together is not to come back together: so it is any time from none on, up to
        twice that of the retry before ("full jitter").
        Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        """
        return random.uniform(0, self.first_wait_s * 2**retry)


class Generator:
    """Answers orders."""

    def __init__(
        self, catalogue: Catalogue, attempts: Attempts, patience: Patience | None = None
    ) -> None:
        self._catalogue = catalogue
        self._attempts = attempts
        self._patience = patience or Patience()

    async def run(self, order: Order, tell: Tell) -> None:
        """Hand every step of the answer to ``tell``, the last a Finished.

        Raises DomainError MODEL_NOT_FOUND before any step; if none answers the last model's
        failure, or why it was passed over: MODEL_UNAVAILABLE if its breaker is open, OVERLOADED if
        there is no place for the call; a failure after the first text at once.
        """
        wanted = candidates(self._catalogue.chosen(order.models), order.prompt)
        limit = asyncio.timeout(self._patience.total_s)
        running = _Running(self._attempts, self._patience, order, tell, limit)
        try:
            async with limit:
                await running.ask(wanted)
        except TimeoutError:
            if not limit.expired():
                raise
            timeout_ms = round(self._patience.total_s * 1000)
            raise DomainError(
                Reason.MODEL_TIMEOUT, model=running.model, timeout_ms=timeout_ms
            ) from None


@dataclass(slots=True)
class _Running:
    """One order being answered."""

    attempts: Attempts
    patience: Patience
    order: Order
    tell: Tell
    limit: asyncio.Timeout
    skipped: tuple[Skipped, ...] = ()
    model: str = ""
    waited_s: float = 0.0
    failure: DomainError | None = None
    usages: list[Usage] = field(default_factory=list)

    async def ask(self, models: Sequence[Candidate]) -> None:
        """Ask one after the other until one answers."""
        for place, candidate in enumerate(models, 1):
            model = candidate.model
            if candidate.lacks:
                self._skip(model, Reason.PART_NOT_ACCEPTED, candidate.lacks)
                continue
            self.model = model.name
            try:
                wanted = await measured(model, self.order)
            except DomainError as too_long:
                self.failure = too_long
                self._skip(model, too_long.reason)
                continue
            if await _has_no_room(model, wanted, models[place:]):
                self._skip(model, Reason.MODEL_PROMPT_TOO_LONG)
                continue
            end = await self._ask_patiently(model, wanted)
            if end is not None:
                limit = end.limit_reached(wanted.max_output_tokens)
                await self.tell(Finished(model.name, end.reason, total(self.usages), limit))
                return
            if self.failure is not None:
                self._skip(model, self.failure.reason)
        if self.failure is not None:
            if others := [it.model for it in self.skipped if it.model != self.model]:
                self.failure.metadata["others"] = ", ".join(others)
            raise self.failure

    def _skip(self, model: ConfiguredModel, why: Reason, lacks: str = "") -> None:
        self.skipped = (*self.skipped, Skipped(model.name, why, lacks))

    async def _ask_patiently(self, model: ConfiguredModel, wanted: Fitted) -> ModelEnd | None:
        """The answer's end, or None if this model is given up."""
        for retry in range(self.patience.retries + 1):
            try:
                ended = await self._ask_shorter(model, wanted)
            except BreakerOpen as left_alone:
                self.failure = _left_alone(model, left_alone)
                return None
            except NoPlace as full:
                self.failure = _full(model, full)
                return None
            except DomainError as refused:
                if not _asks_another(refused):
                    raise
                self.failure = refused
                return None
            if ended.error is None:
                model.retries.succeeded()
                return ended.end
            if ended.spoke:
                raise ended.error
            wait = self._wait(model, ended.error, retry)
            if wait is None:
                return None
            self.waited_s += wait
            await asyncio.sleep(wait)
        return None

    async def _ask_shorter(self, model: ConfiguredModel, wanted: Fitted) -> Ended:
        """Ask, with less of the history while the model says that it is too long for it."""
        while True:
            ended = await self._ask_once(model, wanted)
            if wanted.shortest or not _too_long(ended):
                return ended
            wanted = wanted.shorter()

    async def _ask_once(self, model: ConfiguredModel, wanted: Fitted) -> Ended:
        before = Before(self.failure.reason if self.failure else "", self.skipped)
        if model.places.full:  # nobody waits for a place that their budgets don't pay
            model.breaker.check()
            await self.attempts.check(model, wanted)
        async with model.call() as passage:
            emit = _heard(self.tell, passage)
            ended = await self.attempts.make(model, wanted, before, emit, self.limit)
            passage.failed = _failed(ended)
            if ended.error is not None:
                model.last_failure = _failure(ended.error)
        self.usages.append(ended.usage)
        if ended.error is not None:
            self.failure = ended.error
            said = said_by(ended.error)
            told = {"http_status": said.status, "provider_said": said.words}
            known = {key: value for key, value in told.items() if value}
            logger.warning("model failed", model=model.name, why=ended.error.reason, **known)
        return ended

    def _wait(self, model: ConfiguredModel, error: DomainError, retry: int) -> float | None:
        """Seconds until the same model is asked again; None if it shall not be."""
        if error.reason not in _WORTH_RETRYING:
            return None
        model.retries.failed()
        if retry == self.patience.retries or not model.retries.allows:
            return None
        wait = self.patience.pause(retry) + (error.retry_after or 0.0)
        return wait if self.waited_s + wait <= self.patience.longest_waits_s else None


async def _has_no_room(model: ConfiguredModel, wanted: Fitted, others: Sequence[Candidate]) -> bool:
    """Whether what is asked is longer than its context, and another one may have the room."""
    context = await model.context_tokens()
    if not context or wanted.asked_tokens < context:
        return False
    rooms = [await it.model.context_tokens() for it in others if not it.lacks]
    return any(not room or wanted.asked_tokens < room for room in rooms)


def _heard(tell: Tell, passage: Passage) -> Emit:
    """Tells a breaker, too, that the model answers, or works on it."""

    async def told(step: Step | Working) -> object:
        if not isinstance(step, AttemptStarted):
            passage.answers()
        return None if isinstance(step, Working) else await tell(step)

    return told


def _failed(ended: Ended) -> bool | None:
    """Whether the model has failed; None if that says nothing of other requests."""
    if ended.error is None:
        return False
    its_fault = ended.error.reason in _ITS_FAULT
    return True if its_fault and said_by(ended.error).status != _TOO_MANY_REQUESTS else None


def _asks_another(refused: DomainError) -> bool:
    """Whether a budget that this model does not fit into lets the next one be asked."""
    if isinstance(refused, BudgetExceeded):
        return refused.next_model
    return refused.reason is Reason.PRICE_UNKNOWN


def _failure(error: DomainError) -> Failure:
    return Failure(error.reason, time.time_ns() // 1000, said_by(error))


def _left_alone(model: ConfiguredModel, why: BreakerOpen) -> DomainError:
    """It failed often, and is not asked until it may be back; or an operator says when."""
    state = "BY_HAND" if model.breaker.by_hand else model.breaker.state.name
    return DomainError(
        Reason.MODEL_UNAVAILABLE, model=model.name, breaker=state, retry_after=why.retry_after_s
    )


def _full(model: ConfiguredModel, why: NoPlace) -> DomainError:
    """As many calls of it as may be are under way, and it was not given a place in time."""
    return DomainError(
        Reason.OVERLOADED,
        resource=f"model {model.name}",
        model=model.name,
        calls=why.bounds.calls,
        waited_ms=round(why.waited_s * 1000),
        retry_after=1.0,
    )


def _too_long(ended: Ended) -> bool:
    return ended.error is not None and ended.error.reason is Reason.MODEL_PROMPT_TOO_LONG
