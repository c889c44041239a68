"""What handlers say, masked before anybody sees it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from antiphon_server.dispatcher.handoff_model import HandoffOrder
from antiphon_server.dispatcher.model import Turn
from antiphon_server.runtime.errors import DomainError


class Mask(Protocol):
    """Masks one text that comes in pieces."""

    def feed(self, text: str) -> str:
        """What may be shown now; the rest may be part of something that is not."""
        ...

    def end(self) -> str:
        """What may be shown of the rest: what is fed later belongs to something else.

        Of what began before all the same, the part behind is masked.
        """
        ...


class Masking(Protocol):
    """How what is said in one turn is masked."""

    def begin(self, shown: str) -> Mask:
        """A mask for what an attempt says behind what was ``shown`` before."""
        ...

    def whole(self, text: str) -> str:
        """A short text that does not come in pieces, masked."""
        ...

    async def close(self) -> None:
        """Have told what was found. Raises DomainError."""
        ...


class Masks(Protocol):
    """Knows how turns are masked."""

    async def of(self, turn: Turn) -> Masking | None:
        """How one is; None where no filter looks at answers. Raises DomainError."""
        ...


def masked_order(order: HandoffOrder, masked: Callable[[str], str]) -> HandoffOrder:
    """What a handler says as it hands a turn off; what a person says is not masked here."""
    if order.asked_by:
        return order
    otherwise = replace(order.otherwise, text=masked(order.otherwise.text))
    return replace(order, reason=masked(order.reason), otherwise=otherwise)


def masked_failure(failure: DomainError, masked: Callable[[str], str]) -> DomainError:
    """A failure as it may be told: a handler says why in its own words."""
    if "why" not in failure.metadata:
        return failure
    told = {**failure.metadata, "why": masked(failure.metadata["why"])}
    return DomainError(
        failure.reason, violations=failure.violations, retry_after=failure.retry_after, **told
    )
