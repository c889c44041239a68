"""A row: a name to ask for it by, and how it is measured."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure


@dataclass(frozen=True, slots=True)
class Row:
    """``measure`` gives one figure or a few that belong together; ``about`` says which."""

    name: str
    about: str
    measure: Callable[[Bench], Awaitable[Sequence[Figure]]]
