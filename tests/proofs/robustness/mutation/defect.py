"""What a planted defect is."""

from dataclasses import dataclass
from typing import Literal

from tests.proofs.robustness.mutation.replacing import Wrapper

Judge = Literal["play", "order of syncs", "suite", "scenario"]
SYNCS: Literal["order of syncs"] = "order of syncs"


@dataclass(frozen=True, slots=True)
class Defect:
    """One way to be wrong; ``short`` if it is tried in the short form too.

    What has to catch it is a test of the suite (``tests``), a ``scenario`` with its people and
    faults, the order of the server's system calls if its rule says so, or else the play with
    its validators. ``rules`` are those that must catch it, whoever else does.
    """

    name: str
    mechanism: str
    where: str
    wrapper: Wrapper
    short: bool = False
    tests: tuple[str, ...] = ()
    scenario: str = ""
    rules: tuple[str, ...] = ()

    @property
    def judge(self) -> Judge:
        """Who is asked."""
        if self.tests or self.scenario:
            return "suite" if self.tests else "scenario"
        return SYNCS if SYNCS in self.rules else "play"
