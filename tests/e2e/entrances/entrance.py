"""One way in, and what is there for it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc

from antiphon_client import AntiphonError, Client
from tests.e2e.calls import Calls
from tests.e2e.refusals import reason_of as reason_on_the_wire
from tests.filters.corpus import Sample


@dataclass(slots=True)
class Stage:
    """A server behind filters, whose tool returns what is asked for by its sample's name.

    ``made`` are ids of what was made for samples before the filters stood.
    """

    calls: Calls
    client: Client
    made: dict[str, str] = field(default_factory=dict)

    @property
    def workspace(self) -> str:
        """Whose filters stand."""
        return self.calls.caller.known["ws"]


Prepares: TypeAlias = Callable[[Stage, Sequence[Sample]], Awaitable[None]]
"""Makes what samples come in by, while no filters stand."""
Comes: TypeAlias = Callable[[Stage, Sample], Awaitable[str]]
"""Has a sample come in; returns the reason why it was refused, or nothing."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """``comes`` is how; it takes ``most`` characters in ``most_parts``; ``is_words``: in one text.

    ``in_a_form``: beside a name, which filters look at, too, so that places are counted otherwise.
    """

    name: str
    comes: Comes
    most: int = 1_000_000
    most_parts: int = 1_000
    is_words: bool = False
    in_a_form: bool = False
    needs_worker: bool = False
    before: Prepares | None = None

    def takes(self, sample: Sample) -> bool:
        """Whether the contract lets it come in there at all."""
        if len(sample.parts) > (1 if self.is_words else self.most_parts):
            return False
        return sum(map(len, sample.parts)) <= self.most


async def reason_of(act: Awaitable[object]) -> str:
    """Why it was refused; empty if it was not."""
    try:
        await act
    except AntiphonError as error:
        return error.reason
    return ""


async def reason_of_call(call: Awaitable[Any]) -> str:
    """The same of a call without a client between."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return reason_on_the_wire(error)
    return ""
