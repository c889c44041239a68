"""Who serves what, as tests say; how often that was asked is counted."""

import threading
from collections.abc import Sequence

from antiphon_server.routing.deciding import Router
from antiphon_server.routing.matching import Table
from antiphon_server.routing.model import Candidate, Decision, Expert, Rule, Said

DEFAULT = "assistant"


class Served:
    """Experts that are there, and others that are not."""

    def __init__(self, *experts: Expert) -> None:
        self._experts = experts
        self.asked = 0
        self.thread = 0
        """Which asked last."""

    def of(self, workspace_id: str) -> Sequence[Expert]:
        self.asked += 1
        self.thread = threading.get_ident()
        return self._experts


def served(*handlers: str, away: Sequence[str] = ()) -> Served:
    """Handlers that are served, and some that are known alone; each with an example."""
    here = [Expert(it, examples=(it,)) for it in handlers]
    return Served(*here, *(Expert(it, examples=(it,), available=False) for it in away))


class FirstNamed:
    """A classifier that reads scores from the text: `travel=0.7 money=0.2`."""

    def __init__(self, known: bool = True) -> None:
        self._known = known

    def __call__(self, text: str, experts: Sequence[Expert]) -> Sequence[Candidate]:
        scores = dict(pair.split("=") for pair in text.split())
        found = [Candidate(it.handler, float(scores.get(it.handler, 0))) for it in experts]
        return sorted(found, key=lambda it: -it.score)

    def knows(self, experts: Sequence[Expert]) -> bool:
        return self._known


def decided(
    said: Said, *rules: Rule, experts: Served, installation: Sequence[Rule] = ()
) -> Decision:
    """By a workspace's rules of revision 3, and then the installation's of revision 7."""
    tables = [Table("ws_1", 3, rules), Table("global", 7, installation)]
    return Router(DEFAULT, experts, FirstNamed()).decide(said, tables)
