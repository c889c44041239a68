"""What other services of the installation saw, recorded once."""

from collections.abc import Sequence
from contextlib import suppress

from antiphon_server.auth.model.requests import Answer, Repeated, Request, answer_to
from antiphon_server.auth.model.security_events import SecurityEvent
from antiphon_server.auth.ports.security_events import Recorder, SecurityEventStore
from antiphon_server.runtime.concurrency.completion import Completion


class ReportedEvents:
    """Records what is reported. Those who report may do so again until they are answered."""

    def __init__(
        self, store: SecurityEventStore, recorder: Recorder, completion: Completion
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._completion = completion

    async def record(self, events: Sequence[SecurityEvent], request: Request | None) -> None:
        """Keep the events, in this order; a ``request`` that did so before changes nothing.

        They are committed when it returns. Raises DomainError OVERLOADED, STORE_UNAVAILABLE,
        REQUEST_ID_REUSED.
        """
        await self._completion.run(self._append(events, answer_to(request, b"")))

    async def _append(self, events: Sequence[SecurityEvent], answer: Answer | None) -> None:
        def reported(_: None) -> Sequence[SecurityEvent]:
            return events

        with suppress(Repeated), self._recorder.recording(reported) as records:
            await self._store.append(records, answer)
