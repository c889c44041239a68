"""Requests that may be repeated, and what a repetition gets."""

from dataclasses import dataclass, field

from antiphon_server.runtime.concurrency.completion import Outcome


@dataclass(frozen=True, slots=True)
class Request:
    """A mutation that may be repeated: who asked, under which id, for what.

    ``digest`` is keyed, because the body may hold a password.
    """

    principal: str
    request_id: str
    digest: bytes
    create_time: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The remembered answer to a request, kept for 24 hours. It holds no secret."""

    request: Request
    response: bytes = field(repr=False)


def answer_to(request: Request | None, response: bytes) -> Answer | None:
    """What is to be remembered of a request; nothing of one that can't be repeated."""
    return Answer(request, response) if request else None


class Repeated(Outcome):
    """A repeated request, which was answered before and changed nothing now."""

    def __init__(self, response: bytes) -> None:
        super().__init__("the request was answered before")
        self.response = response
