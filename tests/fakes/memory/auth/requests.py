"""Requests and their answers in memory."""

from antiphon_server.auth.model import DAY
from antiphon_server.auth.model.requests import Answer, Repeated, Request
from antiphon_server.runtime.errors import DomainError, Reason


class MemoryRequests:
    """A :class:`~antiphon_server.auth.ports.requests.RequestStore` in memory."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], Answer] = {}

    async def response(self, request: Request) -> bytes | None:
        """See :meth:`RequestStore.response`."""
        return self._response(request)

    def check(self, answer: Answer | None) -> None:
        """Raise Repeated or DomainError REQUEST_ID_REUSED if its request was answered before."""
        if answer and (response := self._response(answer.request)) is not None:
            raise Repeated(response)

    def remember(self, answer: Answer | None) -> None:
        """Note the answer to a request that was not answered before."""
        if answer:
            self._answers[answer.request.principal, answer.request.request_id] = answer

    def _response(self, request: Request) -> bytes | None:
        found = self._answers.get((request.principal, request.request_id))
        if found is None or found.request.create_time <= request.create_time - DAY:
            return None
        if found.request.digest != request.digest:
            raise DomainError(Reason.REQUEST_ID_REUSED, request_id=request.request_id)
        return found.response
