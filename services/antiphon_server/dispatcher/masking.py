"""What handlers say, masked before anybody sees it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeAlias

from antiphon_server.dispatcher.handoff_model import HandoffOrder
from antiphon_server.dispatcher.model import Turn
from antiphon_server.runtime.errors import DomainError


class Mask(Protocol):
    """Masks one text that comes in pieces."""

    def feed(self, text: str) -> str:
        """What may be shown now; the rest may be part of something that is not."""
        ...

    def end(self, text: str = "") -> str:
        """What may be shown of the rest and a last text: what is fed later is something else's.

        Of what began before all the same, the part behind is masked.
        """
        ...


class Masking(Protocol):
    """How what is said in one turn is masked."""

    def begin(self, shown: str) -> Mask:
        """A mask for what an attempt says behind what was ``shown`` before."""
        ...

    def may_follow(self, shown: str) -> bool:
        """Whether a new mask may begin behind what was ``shown``, and shows no rest of a match."""
        ...

    async def whole(self, texts: Sequence[str]) -> Sequence[str]:
        """Texts of one thing that does not come in pieces, masked; others run meanwhile."""
        ...

    async def close(self) -> None:
        """Have told what was found. Raises DomainError."""
        ...


class Masks(Protocol):
    """Knows how turns are masked."""

    async def of(self, turn: Turn) -> Masking | None:
        """How one is; None where no filter looks at answers. Raises DomainError."""
        ...


Masked: TypeAlias = Callable[[Sequence[str]], Awaitable[Sequence[str]]]
"""Texts beside an answer, as people may see them."""


async def masked_order(order: HandoffOrder, masked: Masked) -> HandoffOrder:
    """What a handler says as it hands a turn off."""
    reason, text = await masked([order.reason, order.otherwise.text])
    return replace(order, reason=reason, otherwise=replace(order.otherwise, text=text))


async def masked_failure(failure: DomainError, masked: Masked) -> DomainError:
    """A failure as it may be told: a handler says why in its own words."""
    if "why" not in failure.metadata:
        return failure
    (why,) = await masked([failure.metadata["why"]])
    told = {**failure.metadata, "why": why}
    return DomainError(
        failure.reason, violations=failure.violations, retry_after=failure.retry_after, **told
    )
