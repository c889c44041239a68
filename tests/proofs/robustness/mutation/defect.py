"""What a planted defect is."""

from dataclasses import dataclass
from typing import Literal

from tests.proofs.robustness.mutation.replacing import Wrapper

Judge = Literal["play", "order of syncs", "suite", "scenario"]


@dataclass(frozen=True, slots=True)
class Defect:
    """One way to be wrong; ``short`` if it is tried in the short form too.

    ``judge`` says what has to catch it: the play with its validators, the order of the
    server's system calls, a test of the suite (``tests``), or a scenario with its people and
    faults. ``rules`` are those that must catch it, whoever else does.
    """

    name: str
    mechanism: str
    where: str
    wrapper: Wrapper
    judge: Judge = "play"
    short: bool = False
    tests: tuple[str, ...] = ()
    scenario: str = ""
    rules: tuple[str, ...] = ()
