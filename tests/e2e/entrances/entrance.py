"""One way in, and what is there for it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from antiphon_client import AntiphonError, Client
from tests.e2e.calls import Calls
from tests.filters.corpus import Sample


@dataclass(slots=True)
class Stage:
    """A server behind filters, whose tool returns what is asked for by its sample's name."""

    calls: Calls
    client: Client

    @property
    def workspace(self) -> str:
        """Whose filters stand."""
        return self.calls.caller.known["ws"]


Comes: TypeAlias = Callable[[Stage, Sample], Awaitable[str]]
"""Has a sample come in; returns the reason why it was refused, or nothing."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """``comes`` is how; it takes ``most`` characters, and of ``is_words`` one text alone.

    ``in_a_form``: beside a name, which filters look at, too, so that places are counted otherwise.
    """

    name: str
    comes: Comes
    most: int = 1_000_000
    is_words: bool = False
    in_a_form: bool = False
    needs_worker: bool = False

    def takes(self, sample: Sample) -> bool:
        """Whether the contract lets it come in there at all."""
        if self.is_words and len(sample.parts) > 1:
            return False
        return sum(map(len, sample.parts)) <= self.most


async def reason_of(act: Awaitable[object]) -> str:
    """Why it was refused; empty if it was not."""
    try:
        await act
    except AntiphonError as error:
        return error.reason
    return ""
