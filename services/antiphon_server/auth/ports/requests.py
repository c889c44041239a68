"""Where requests are remembered."""

from typing import Protocol

from antiphon_server.auth.model.requests import Request


class RequestStore(Protocol):
    """The requests of a day and their answers.

    Other stores note the answer to a request in the transaction that does what it asks, and
    raise Repeated, with nothing done, where there is one already.
    """

    async def response(self, request: Request) -> bytes | None:
        """What the same request was answered with.

        Raises DomainError REQUEST_ID_REUSED if its id was used within 24 h with another body.
        """
        ...
