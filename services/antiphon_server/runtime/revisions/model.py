"""What rules were from some time on."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

GLOBAL = "global"
"""The installation, as whose rules are."""


@dataclass(frozen=True, slots=True)
class Revision(Generic[T]):
    """The rules of a parent as they were from ``created_us`` on; ``number`` counts from 1.

    0 is that of rules which nobody has set yet. ``creator`` is who set them, as an actor.
    """

    parent: str
    number: int = 0
    rules: tuple[T, ...] = ()
    creator: str = ""
    created_us: int = 0
    comment: str = ""
