"""The ledger: answers begun, spoken, finished, failed, left alone, and killed with the process."""

import asyncio
import contextlib
import itertools
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.model import (
    CallId,
    Outcome,
    SettledCall,
    UsageFilter,
    total,
)
from antiphon_server.integration.models.attempt import Attempts
from antiphon_server.integration.models.catalogue import Catalogue
from antiphon_server.integration.models.generation import Generator, Patience
from antiphon_server.integration.models.model import FinishReason, ModelEnd
from antiphon_server.integration.models.ports import ModelBackend
from antiphon_server.integration.models.pricing import Tokens
from antiphon_server.integration.models.settings import ModelSettings, model_named
from antiphon_server.runtime.errors import DomainError, Reason
from tests.integration.world import WORKSPACE, order
from tests.proofs.properties.ledger_world import PRICES, Answer, Asked, Endpoint
from tests.proofs.properties.life import Life, MortalDatabase, bury
from tests.proofs.properties.machine import Machine

ALL = UsageFilter(WORKSPACE)
MODELS = ("scripted/one", "scripted/two")
OWNER = "me"
picks = st.integers(0, 20)


class LedgerMachine(Machine):
    """Any number of answers at once."""

    ledger_type: ClassVar[type[SqlLedger]] = SqlLedger

    async def open(self) -> None:
        self.database = await self.open_database(metadata)
        self.numbers = itertools.count(1)
        self.endpoint = Endpoint()
        self.past: dict[CallId, Asked] = {}
        await self._start()

    async def _start(self) -> None:
        self.life = Life()
        self.ledger = self.ledger_type(MortalDatabase(self.database, self.life))
        await self.ledger.abandon(OWNER)
        self.catalogue = Catalogue([model_named(name) for name in MODELS], self._backend)
        patience = Patience(retries=1, first_wait_s=0.0)
        self.generator = Generator(
            self.catalogue, Attempts(PricedCalls(self.ledger, OWNER)), patience
        )
        for model in self.catalogue.chosen(MODELS):
            await model.prices()

    def _backend(self, settings: ModelSettings) -> ModelBackend:
        return self.endpoint

    async def close(self) -> None:
        await self._end()
        await self._check()
        await self.catalogue.close()
        await self.database.close()

    async def _end(self) -> None:
        self.life.go_on()
        if self.life.dead.is_set():
            await self._restart()
        for answer in self.endpoint.answers.values():
            assert answer.task is not None
            answer.task.cancel()
            await asyncio.wait([answer.task])
        self._forget()

    def _forget(self) -> None:
        for answer in self.endpoint.answers.values():
            self.past |= answer.calls
        self.endpoint.answers.clear()

    async def _restart(self) -> None:
        await bury(self.database)
        for answer in self.endpoint.answers.values():
            for call_id, asked in answer.calls.items():
                self.past[call_id] = asked
        self._forget()
        await self._start()

    @precondition(lambda self: len(self.endpoint.answers) < 5)
    @rule(models=st.sampled_from([(), MODELS[:1], MODELS]), count=st.integers(1, 3))
    def begin(self, models: tuple[str, ...], count: int) -> None:
        """Begin answers."""
        self.run(self._begin(models, count))

    async def _begin(self, models: tuple[str, ...], count: int) -> None:
        for _ in range(count):
            answer = Answer(f"prompt {next(self.numbers)}")
            self.endpoint.answers[answer.prompt] = answer
            answer.task = asyncio.create_task(self._generate(answer, models))
        await self._settle_down()

    async def _generate(self, answer: Answer, models: tuple[str, ...]) -> None:
        with contextlib.suppress(DomainError):
            await self.generator.run(order(*models, text=answer.prompt), answer.emit)

    @precondition(lambda self: self.endpoint.answers)
    @rule(which=picks, length=st.integers(1, 50))
    def speak(self, which: int, length: int) -> None:
        """Let an endpoint say something."""
        self._tell(which, "x" * length)

    @precondition(lambda self: self.endpoint.answers)
    @rule(which=picks, tokens=st.none() | st.builds(Tokens, picks, picks))
    def finish(self, which: int, tokens: Tokens | None) -> None:
        """Let an endpoint end its answer, with or without a count of tokens."""
        self._tell(which, ModelEnd(FinishReason.STOP, tokens))

    @precondition(lambda self: self.endpoint.answers)
    @rule(
        which=picks,
        reason=st.sampled_from(
            [Reason.MODEL_UNAVAILABLE, Reason.MODEL_PROTOCOL, Reason.MODEL_REFUSED]
        ),
    )
    def fail(self, which: int, reason: Reason) -> None:
        """Let an endpoint fail."""
        self._tell(which, DomainError(reason))

    @precondition(lambda self: self.endpoint.answers)
    @rule(which=picks)
    def cancel(self, which: int) -> None:
        """Go away."""
        answer = self._answer(which)
        assert answer.task is not None
        answer.task.cancel()
        self.run(self._settle_down())

    @rule(commits=st.integers(0, 4))
    def die(self, commits: int) -> None:
        """Kill the process after so many more commits."""
        self.life.end_after(commits)

    @rule()
    def look(self) -> None:
        """Compare the ledger with what the endpoint knows."""
        self.run(self._settle_down())
        self.run(self._check())

    def _answer(self, which: int) -> Answer:
        answers = list(self.endpoint.answers.values())
        return answers[which % len(answers)]

    def _tell(self, which: int, what: str | ModelEnd | DomainError) -> None:
        answer = self._answer(which)
        if answer.calls:
            answer.told.put_nowait(what)
        self.run(self._settle_down())

    async def _settle_down(self) -> None:
        """Wait until nothing more happens by itself."""
        await self.life.quiet()
        if self.life.dead.is_set():
            await self._restart()

    async def _check(self) -> None:
        """Every call that an endpoint got is there once, with what it consumed."""
        answers = self.endpoint.answers.values()
        running = {
            call_id
            for answer in answers
            for call_id in list(answer.calls)[-1:]
            if answer.task is not None and not answer.task.done()
        }
        truth = dict(self.past)
        for answer in answers:
            truth |= answer.calls
        told = await self.ledger.calls(ALL, None, 10_000)
        assert len({one.call_id for one in told}) == len(told)
        known = {one.call_id: one for one in told}
        missing = truth.keys() - known.keys() - running
        assert not missing, missing
        for call_id, asked in truth.items():
            if call_id in known:
                _compare(known[call_id], asked)
        assert await self.ledger.total(ALL) == total(one.settlement.usage for one in told)


def _compare(one: SettledCall, asked: Asked) -> None:
    """Hold an entry against what the endpoint did."""
    settlement = one.settlement
    if settlement.outcome is not Outcome.UNKNOWN:  # the process died before it was known
        assert settlement.outcome is asked.outcome or asked.outcome is Outcome.UNKNOWN
        assert settlement.usage.quantities.output_tokens == _output(asked), (one, asked)
    tokens = Tokens(*settlement.usage.quantities)
    assert settlement.usage.cost == PRICES.cost(tokens)


def _output(asked: Asked) -> int:
    if asked.tokens is not None:
        return asked.tokens.output
    return -(-asked.said // 4)
