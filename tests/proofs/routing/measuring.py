"""Where a rule with a classifier sends messages, compared with where they belong."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from antiphon_server.routing.classifying import WordClassifier
from antiphon_server.routing.deciding import Router
from antiphon_server.routing.matching import Table
from antiphon_server.routing.model import Classifier, Decision, Expert, Rule, Said
from tests.proofs.routing.labelled import NONE, Labelled

GENERALIST = "generalist"


class Known:
    """The experts, and a generalist who gives no examples."""

    def __init__(self, experts: Sequence[Expert]) -> None:
        self._experts = [*experts, Expert(GENERALIST)]

    def of(self, workspace_id: str) -> Sequence[Expert]:
        return self._experts


@dataclass(frozen=True, slots=True)
class Sent:
    """A message, and what was decided about it."""

    message: Labelled
    decision: Decision

    @property
    def decided(self) -> bool:
        """Whether it went to an expert."""
        return self.decision.handler != GENERALIST

    @property
    def right(self) -> bool:
        """Whether it is where it belongs."""
        wanted = GENERALIST if self.message.expert == NONE else self.message.expert
        return self.decision.handler == wanted

    @property
    def best(self) -> bool:
        """Whether the first candidate is whose it is, however sure."""
        return self.decision.candidates[0].handler == self.message.expert


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares of messages that are some expert's, and of those that are nobody's.

    ``best``: the first candidate is right. ``sure``: decided at all; ``right`` of these.
    ``strange``: of nobody's messages, those that went to the generalist.
    """

    count: int
    best: float
    sure: float
    right: float
    strange: float


def sent(
    experts: Sequence[Expert], messages: Sequence[Labelled], min_score: float = 0.0
) -> Sequence[Sent]:
    """What a rule decides that leaves to the generalist what it is not sure of."""
    router = Router(GENERALIST, Known(experts), WordClassifier())
    rule = Rule("experts", classifier=Classifier(min_score=min_score), fallback=GENERALIST)
    tables = [Table("global", 1, [rule])]
    return [Sent(it, router.decide(Said(it.text), tables)) for it in messages]


def figures(those: Sequence[Sent]) -> Figures:
    """Of some messages."""
    some = [it for it in those if it.message.expert != NONE]
    decided = [it for it in some if it.decided]
    nobodys = [it for it in those if it.message.expert == NONE]
    return Figures(
        count=len(some),
        best=_share(some, lambda it: it.best),
        sure=_share(some, lambda it: it.decided),
        right=_share(decided, lambda it: it.right),
        strange=_share(nobodys, lambda it: it.right),
    )


def confusion(those: Sequence[Sent]) -> Counter[tuple[str, str]]:
    """How many of each expert's messages, or of nobody's, went to whom."""
    return Counter((it.message.expert, it.decision.handler) for it in those)


def _share(those: Sequence[Sent], holds: Callable[[Sent], bool]) -> float:
    return sum(map(holds, those)) / len(those) if those else 0.0
