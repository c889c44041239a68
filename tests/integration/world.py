"""What the tests of the integration service share."""

from antiphon_server.integration.ledger.adapters.sql import SqlLedger
from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.model import Payer, SettledCall, UsageFilter, WorkspaceId
from antiphon_server.integration.ledger.ports import Limits
from antiphon_server.integration.models.adapters.backends import make_backend
from antiphon_server.integration.models.attempt import Attempts
from antiphon_server.integration.models.catalogue import Catalogue
from antiphon_server.integration.models.generation import Generator, Patience
from antiphon_server.integration.models.model import (
    ModelEnd,
    ModelStep,
    Order,
    Part,
    Prompt,
    PromptMessage,
    Step,
)
from antiphon_server.integration.models.ports import ModelBackend
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.runtime.concurrency.breaker import USUAL, Breaker
from antiphon_server.runtime.concurrency.breaker import Limits as BreakerLimits
from antiphon_server.runtime.configuration import configured
from antiphon_server.runtime.net.http_pool import HttpPool
from antiphon_server.runtime.storage.database import Database
from tests.fakes.openai_endpoint import FakeEndpoint

WORKSPACE = WorkspaceId("ws_00000001")
QUICK = Patience(first_wait_s=0.001)


def asking(text: str = "What is the capital of France?", limit: int = 1024) -> Prompt:
    """A prompt of one question."""
    return Prompt((PromptMessage("user", (Part("text", text),)),), limit)


def order(*models: str, text: str = "Hello") -> Order:
    """An order for a workspace."""
    return Order(Payer(WORKSPACE, "conv_00000001", "turn_00000001"), models, asking(text))


def on_wire(base_url: str, name: str = "openai/small", **options: object) -> ModelSettings:
    """A model on the OpenAI wire with a key that must not leak, a cent a token."""
    given = {"input_price_micros": 10_000_000_000, "output_price_micros": 10_000_000_000}
    return configured(
        {"name": name, "kind": "openai", "base_url": base_url, "api_key": "sk-secret"}
        | given
        | options,
        ModelSettings,
    )


async def answer(backend: ModelBackend, prompt: Prompt | None = None) -> tuple[str, ModelEnd]:
    """The whole answer."""
    steps: list[ModelStep] = [step async for step in backend.generate(prompt or asking())]
    end = steps.pop()
    assert isinstance(end, ModelEnd)
    return "".join(step for step in steps if isinstance(step, str)), end


class Recorder:
    """Takes the steps of a generation."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    async def __call__(self, step: Step) -> None:
        """Take one."""
        self.steps.append(step)

    @property
    def text(self) -> str:
        """The texts joined."""
        return "".join(step for step in self.steps if isinstance(step, str))


class World:
    """A generator on a ledger, and an endpoint for its models."""

    def __init__(self, endpoint: FakeEndpoint, pool: HttpPool, database: Database) -> None:
        self.endpoint = endpoint
        self.database = database
        self.ledger = SqlLedger(database)
        self._pool = pool
        self._catalogues: list[Catalogue] = []

    def generator(
        self,
        *models: ModelSettings,
        patience: Patience = QUICK,
        breaker: BreakerLimits = USUAL,
        limits: Limits | None = None,
    ) -> Generator:
        """A generator of these models, by default one on the endpoint."""
        catalogue = Catalogue(
            models or [on_wire(self.endpoint.base_url)],
            lambda one: make_backend(one, self._pool),
            breaker=breaker,
        )
        self._catalogues.append(catalogue)
        calls = PricedCalls(self.ledger, "me", limits)
        return Generator(catalogue, Attempts(calls), patience)

    @property
    def breakers(self) -> dict[str, Breaker]:
        """Those of the models of the newest generator."""
        return {it.name: it.breaker for it in self._catalogues[-1].all}

    async def calls(self) -> list[SettledCall]:
        """What was settled, the oldest first."""
        return (await self.ledger.calls(UsageFilter(WORKSPACE), None, 100))[::-1]

    async def close(self) -> None:
        """Release everything."""
        for catalogue in self._catalogues:
            await catalogue.close()
        await self.ledger.close()
