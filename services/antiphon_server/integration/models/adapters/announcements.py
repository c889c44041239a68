"""Events of models, in the log that everybody may read."""

import logging
from typing import TYPE_CHECKING

import grpc

from antiphon.events.v1.event_pb2 import Event, ModelChanged
from antiphon.events.v1.event_service_pb2 import AppendRequest
from antiphon.integration.v1.model_pb2 import BREAKER_STATE_CLOSED, BREAKER_STATE_OPEN
from antiphon_server.integration.models.model import Failure, ModelName
from antiphon_server.runtime.concurrency.breaker import Breaker, State
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub

INTEGRATION = "services/integration"
TIMEOUT_S = 5.0
log = logging.getLogger(__name__)


class ModelAnnouncements:
    """See :class:`~antiphon_server.integration.models.ports.Told`.

    What can't be told is not told later: the next change says what is so then.
    """

    def __init__(self, events: "EventServiceAsyncStub") -> None:
        self._events = events
        self._last: dict[ModelName, tuple[int, bool]] = {}

    async def __call__(self, model: ModelName, breaker: Breaker, failure: Failure | None) -> None:
        changed = _changed(model, breaker, failure)
        now = changed.breaker, changed.by_hand
        if self._last.get(model) == now:  # it was tried, and is not back
            return
        events = [Event(actor=INTEGRATION, model_changed=changed)]
        try:
            with remote_errors("events"):
                request = AppendRequest(scope="global", events=events)
                await self._events.Append(request, timeout=TIMEOUT_S)
            self._last[model] = now
        except (DomainError, grpc.aio.UsageError) as error:
            log.warning("a change of model %s could not be told: %s", model, error)


def _changed(model: ModelName, breaker: Breaker, failure: Failure | None) -> ModelChanged:
    if breaker.state is State.CLOSED:
        return ModelChanged(model=model, breaker=BREAKER_STATE_CLOSED)
    why = failure.reason if failure is not None and not breaker.by_hand else ""
    by_hand = breaker.by_hand
    return ModelChanged(model=model, breaker=BREAKER_STATE_OPEN, by_hand=by_hand, error_reason=why)
