"""Whether models are asked, in the server's health."""

from dataclasses import dataclass

from antiphon_server.integration.models.model import Failure, ModelName
from antiphon_server.runtime.concurrency.breaker import Breaker, State
from antiphon_server.runtime.rpc.health import Health


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """See :class:`~antiphon_server.integration.models.ports.Told`.

    Each is a part `model.NAME`, without which the server still serves.
    """

    health: Health

    async def __call__(
        self, model: ModelName, breaker: Breaker, failure: Failure | None = None
    ) -> None:
        closed = breaker.state is State.CLOSED
        await self.health.set(f"model.{model}", closed, needed=False)
