"""Chooses an expert by the words of descriptions and examples."""

from collections import Counter
from collections.abc import Sequence

from antiphon_server.routing.model import Candidate, Expert


class WordClassifier:
    """The share of a message's words that each expert knows best."""

    def __call__(self, text: str, experts: Sequence[Expert]) -> Sequence[Candidate]:
        """All experts, the best first."""
        said = set(text.casefold().split())
        known = {
            it.handler: set(" ".join((it.description, *it.examples)).casefold().split())
            for it in experts
        }
        hits = Counter({handler: len(said & words) for handler, words in known.items()})
        total = sum(hits.values()) + 1
        return [Candidate(handler, count / total) for handler, count in hits.most_common()]
